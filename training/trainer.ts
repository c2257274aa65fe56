import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { TrainEvent, Trainer, TrainJob } from '../src/ports/trainer.ts'
import { lockFile, preparePython, venvFolder, venvPython } from './python-env.ts'
import { parseEvent } from './train-event.ts'

/** What {@link pythonTrainer} works with. */
export interface PythonTrainerOptions {
  /** Jobs and their logs are kept in `<dataDir>/jobs/<id>/`. */
  readonly dataDir: string
  readonly log: Logger
  /** Python that makes the environment. Absent: the first good one on the PATH. */
  readonly python?: string
  /** Folder of the virtual environment. Absent: see `venvFolder`. */
  readonly venv?: string
  /** Lock file of the environment. Absent: the one that Hone comes with. */
  readonly requirements?: string
  /** How long a stopped run may take to save its checkpoint before it is killed. */
  readonly graceMs?: number
}

const script = fileURLToPath(new URL('python/train.py', import.meta.url))

type Child = ChildProcessByStdio<Writable, Readable, null>
interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * The trainer that runs `training/python/train.py` in a process group of its own. The child ends when this process
 * does, however it ends: it holds the other end of the child's stdin.
 *
 * @example
 * const trainer = pythonTrainer({ dataDir, log })
 * await trainer.prepare(say)
 * for await (const event of trainer.train(job, signal)) show(event)
 */
export function pythonTrainer(options: PythonTrainerOptions): Trainer {
  const venv = async () => options.venv ?? (await venvFolder(options.dataDir))
  return {
    async prepare(say, signal) {
      const { python, requirements = lockFile } = options
      await preparePython({ venv: await venv(), requirements, ...(python ? { python } : {}) }, say, signal)
    },
    async *train(job, signal) {
      yield* runJob(job, { ...options, venv: await venv() }, signal)
    },
  }
}

async function* runJob(
  job: TrainJob,
  options: PythonTrainerOptions & { readonly venv: string },
  signal: AbortSignal,
): AsyncGenerator<TrainEvent> {
  if (signal.aborted) throw cancelled()
  const { log, graceMs = 15_000 } = options
  const { child, logPath } = await start(job, options)
  const exit = endOf(child)
  const stop = () => terminate(child, graceMs, exit)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  log.info('trainer.start', { job: job.id, method: job.method, pid: child.pid })
  const ends: TrainEvent[] = []
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = parseEvent(line)
      if (event?.type === 'done' || event?.type === 'error') ends.push(event)
      else if (event) yield event
    }
    const { code, signal: by } = await exit
    log.info('trainer.end', { job: job.id, code, by })
    if (signal.aborted) throw cancelled()
    const last = ends.at(-1)
    if (code !== 0 || last?.type !== 'done') throw await failure(last, code ?? by, logPath)
    yield last
  } catch (error) {
    await killNow(child, exit)
    await removeLeftovers(job, { cancelled: signal.aborted, published: ends.at(-1)?.type === 'done' })
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    // Also when the caller left the loop: nobody would ever read the rest.
    await killNow(child, exit)
  }
}

async function start(
  job: TrainJob,
  { dataDir, venv }: { readonly dataDir: string; readonly venv: string },
): Promise<{ child: Child; logPath: string }> {
  const folder = join(dataDir, 'jobs', job.id)
  const [jobPath, logPath] = [join(folder, 'job.json'), join(folder, 'train.log')]
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(jobPath, `${JSON.stringify(job, undefined, 2)}\n`)
    await using logFile = await open(logPath, 'a')
    const child = spawn(venvPython(venv), ['-u', script, jobPath, '--follow-stdin'], {
      detached: true,
      stdio: ['pipe', 'pipe', logFile.fd],
    }) as Child
    // The descriptor may be closed only once the child has its own.
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.stdin.on('error', () => {})
    return { child, logPath }
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

/** A LoRA that nobody will hear of goes, whole or not; a checkpoint stays where the run may go on later. */
async function removeLeftovers(
  { output }: TrainJob,
  { cancelled, published }: { readonly cancelled: boolean; readonly published: boolean },
): Promise<void> {
  const paths = [`${output}.draft`, ...(cancelled ? [] : [`${output}.work`]), ...(published ? [output] : [])]
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
}

function cancelled(): HoneError {
  return new HoneError('CANCELLED', 'Training was stopped.')
}

/** The error event in our words, or the end of the log when the child died without one. */
async function failure(last: TrainEvent | undefined, code: unknown, logPath: string): Promise<HoneError> {
  const fields = { log: logPath, code: last?.type === 'error' ? last.code : code }
  if (last?.type !== 'error') {
    const tail = await readFile(logPath, 'utf8').then(lastLines, () => '')
    const message = `The trainer ended unexpectedly (${code}). Its log is ${logPath}.${tail && ` It ends with:\n${tail}`}`
    return new HoneError('TRAINER_FAILED', message, { fields })
  }
  if (/no space left/i.test(last.message)) return new HoneError('DISK_FULL', last.message, { fields })
  if (last.code === 'CANCELLED') return new HoneError('CANCELLED', last.message, { fields })
  const ownCode = last.code === 'ENVIRONMENT' ? 'PYTHON' : 'TRAINER_FAILED'
  return new HoneError(ownCode, `${last.message} Its log is ${logPath}.`, { fields })
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-8).join('\n')
}
