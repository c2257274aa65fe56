import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { TrainEvent } from '../src/ports/trainer.ts'
import { parseEvent } from './train-event.ts'

type Child = ChildProcessByStdio<Writable, Readable, null>
interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that tells of its training in JSON lines on stdout. */
export interface ChildCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Its stderr is appended here. */
  readonly logPath: string
  /** How long it may take to end when it is asked to, before it is killed. */
  readonly graceMs: number
  /** Told of its process id once it runs. */
  readonly started: (pid: number | undefined) => void
}

/** How a child ended: its code or the signal that ended it, and the last `done` or `error` that it told. */
export interface Ended extends Exit {
  readonly last: TrainEvent | undefined
}

/**
 * Runs a program in a process group of its own and yields what it tells, but for `done` and `error`, which are in the
 * answer: whether it worked is known when it has ended. Nothing of the group is left then, however it ends; it also ends
 * when this process does, if it follows its stdin.
 *
 * @throws HoneError PYTHON when it can't be started; CANCELLED when the signal was aborted.
 */
export async function* follow(command: ChildCommand, signal: AbortSignal): AsyncGenerator<TrainEvent, Ended> {
  if (signal.aborted) throw cancelled()
  const child = await start(command)
  const exit = endOf(child)
  const stop = () => terminate(child, command.graceMs, exit)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  command.started(child.pid)
  let last: TrainEvent | undefined
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = parseEvent(line)
      if (event?.type === 'done' || event?.type === 'error') last = event
      else if (event) yield event
    }
    return { ...(await exit), last }
  } finally {
    signal.removeEventListener('abort', stop)
    // Also when the caller left the loop: nobody would ever read the rest.
    await killNow(child, exit)
  }
}

/** The error event in our words, or the end of the log when the child died without one. */
export async function failure({ last, code, signal }: Ended, logPath: string): Promise<HoneError> {
  const fields = { log: logPath, code: last?.type === 'error' ? last.code : (code ?? signal) }
  if (last?.type !== 'error') {
    const tail = await readFile(logPath, 'utf8').then(lastLines, () => '')
    const message = `The trainer ended unexpectedly (${code ?? signal}). Its log is ${logPath}.${tail && ` It ends with:\n${tail}`}`
    return new HoneError('TRAINER_FAILED', message, { fields })
  }
  if (/no space left/i.test(last.message)) return new HoneError('DISK_FULL', last.message, { fields })
  if (last.code === 'CANCELLED') return new HoneError('CANCELLED', last.message, { fields })
  const ownCode = last.code === 'ENVIRONMENT' ? 'PYTHON' : 'TRAINER_FAILED'
  return new HoneError(ownCode, `${last.message} Its log is ${logPath}.`, { fields })
}

export function cancelled(): HoneError {
  return new HoneError('CANCELLED', 'Training was stopped.')
}

async function start({ file, args, logPath }: ChildCommand): Promise<Child> {
  try {
    await using logFile = await open(logPath, 'a')
    const child = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', logFile.fd] }) as Child
    // The descriptor may be closed only once the child has its own.
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.stdin.on('error', () => {})
    return child
  } catch (error) {
    throw asHoneError(error, 'PYTHON', 'The trainer could not be started')
  }
}

/** Resolves when the child has ended. Whatever it started must not outlive it, nor keep its stdout open. */
function endOf(child: Child): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(child, 'SIGKILL')
      resolve({ code, signal })
    })
  })
}

/** Asks for a checkpoint, and kills once the time for it is over. */
function terminate(child: Child, graceMs: number, exit: Promise<Exit>): void {
  signalGroup(child, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs)
  exit.finally(() => clearTimeout(timer))
}

async function killNow(child: Child, exit: Promise<Exit>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) signalGroup(child, 'SIGKILL')
  await exit
}

function signalGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    // A negative id is the whole group; Windows has no groups.
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal)
  } catch {
    // Nothing of the group is left.
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-8).join('\n')
}
