import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { HoneError } from '../../src/errors.ts'
import type { Parsed } from './parsed.ts'
import { type Raw, readHere } from './read.ts'

/** What the child process answers. */
export type ReaderAnswer =
  | { readonly ok: true; readonly parsed: Parsed }
  | { readonly ok: false; readonly reason: string }

export interface ReaderLimits {
  /** Longest time for one file, in milliseconds. */
  readonly timeoutMs?: number
  /** Most memory of the child process, in megabytes. */
  readonly memoryMb?: number
}

/** Reads files of any format. One at a time. */
export interface Reader extends AsyncDisposable {
  read(raw: Raw, signal?: AbortSignal): Promise<Parsed>
}

/**
 * A reader that opens PDF, Word, HTML and tables in a child process with limits, so that a hostile file can't hang or
 * exhaust the bot. The child is started by the first such file and kept for the next ones.
 */
export function startReader(limits: ReaderLimits = {}): Reader {
  const { timeoutMs = 60_000, memoryMb = 1024 } = limits
  let child: ChildProcess | undefined
  return {
    async read(raw, signal) {
      if (raw.format === 'markdown' || raw.format === 'text') return readHere(raw)
      if (!child?.connected) child = start(memoryMb)
      const answer = await ask(child, raw, { timeoutMs, memoryMb, ...(signal && { signal }) })
      if (!answer.ok) throw new HoneError('DOCUMENT', answer.reason)
      return answer.parsed
    },
    async [Symbol.asyncDispose]() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

function start(memoryMb: number): ChildProcess {
  const file = `./reader-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    serialization: 'advanced',
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: ['--permission', '--allow-fs-read=*', `--max-old-space-size=${Math.floor(memoryMb / 2)}`],
  })
}

interface AskLimits {
  readonly timeoutMs: number
  readonly memoryMb: number
  readonly signal?: AbortSignal
}

/** Sends one file and waits for its text; past a limit the child is killed. */
async function ask(child: ChildProcess, raw: Raw, { timeoutMs, memoryMb, signal }: AskLimits): Promise<ReaderAnswer> {
  const { promise, resolve } = Promise.withResolvers<ReaderAnswer>()
  const stop = (reason: string) => {
    child.kill('SIGKILL')
    resolve({ ok: false, reason })
  }
  const late = setTimeout(() => stop(`Reading it took longer than ${timeoutMs / 1000} s.`), timeoutMs)
  const watch = setInterval(async () => {
    if ((await residentMb(child.pid)) > memoryMb) stop(`Reading it took more than ${memoryMb} MB of memory.`)
  }, 200)
  const onExit = () => resolve({ ok: false, reason: 'Reading it used up the memory or crashed the reader.' })
  const onAbort = () => stop('Reading it was stopped.')
  const onMessage = (message: unknown) => resolve(message as ReaderAnswer)
  signal?.addEventListener('abort', onAbort, { once: true })
  child.on('message', onMessage).on('exit', onExit).on('error', onExit)
  child.send(raw, (error) => error && onExit())
  try {
    return await promise
  } finally {
    clearTimeout(late)
    clearInterval(watch)
    signal?.removeEventListener('abort', onAbort)
    child.off('message', onMessage).off('exit', onExit).off('error', onExit)
  }
}

/** Memory a process holds, where the system tells (Linux); elsewhere the heap's own limit must do. */
async function residentMb(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')
  return (Number(text.split(' ')[1] ?? 0) * 4096) / 1024 / 1024
}
