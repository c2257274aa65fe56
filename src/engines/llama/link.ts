import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../../config.ts'
import { HoneError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Calls, Op, Reply, Request } from './protocol.ts'

/** The parent's end of one child process. */
export interface Link {
  readonly pid: number | undefined
  readonly alive: boolean
  /** @throws HoneError the child's, or ENGINE_FAILED when the child ends before it has answered. */
  call<K extends Op>(op: K, input: Calls[K]['in'], options?: CallOptions): Promise<Calls[K]['out']>
  /** Ends the child; resolves when it is gone. */
  end(): Promise<void>
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly onText?: (text: string) => void
}

interface Waiting {
  resolve(value: never): void
  reject(error: HoneError): void
  onText: ((text: string) => void) | undefined
}

// Two hops on libuv's pool a token, shared with files and DNS: four threads, the default, are too few.
const poolThreads = '8'

/** Starts a child process that will hold a model. It ends by itself when this process does. */
export function createLink(log: Logger): Link {
  const script = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url))
  const child = fork(script, [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: childEnvironment({ UV_THREADPOOL_SIZE: poolThreads }),
  })
  const waiting = new Map<number, Waiting>()
  const lastWords = follow(child, log)
  let nextId = 1
  let alive = true
  let wanted = false
  const gone = new Promise<void>((resolve) => {
    const ended = (how: string) => {
      if (alive) log[wanted ? 'debug' : 'warn']('llama.ended', { pid: child.pid, how, said: lastWords() })
      alive = false
      for (const call of waiting.values()) call.reject(endedError(how, lastWords()))
      waiting.clear()
      resolve()
    }
    child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
    child.once('error', (error) => ended(error.message))
  })
  child.on('message', (reply: Reply) => receive(reply, waiting, log))

  return {
    pid: child.pid,
    get alive() {
      return alive && child.connected
    },
    async call(op, input, { signal, onText } = {}) {
      if (!alive) throw endedError('it was gone', lastWords())
      const id = nextId++
      // A failed send is followed by `exit`, which rejects the call.
      const send = (request: Request) => void child.send(request, () => {})
      const abort = () => send({ id, op: 'abort' })
      const answer = new Promise<never>((resolve, reject) => waiting.set(id, { resolve, reject, onText }))
      send({ id, op, input } as Request)
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true })
      return answer.finally(() => signal?.removeEventListener('abort', abort))
    },
    async end() {
      wanted = true
      if (alive) child.kill('SIGKILL')
      await gone
    },
  }
}

function receive(reply: Reply, waiting: Map<number, Waiting>, log: Logger): void {
  if (reply.kind === 'log') {
    log[reply.level]('llama.says', { text: reply.message })
    return
  }
  if (reply.kind === 'texts') {
    for (const [id, text] of reply.texts) waiting.get(id)?.onText?.(text)
    return
  }
  const call = waiting.get(reply.id)
  waiting.delete(reply.id)
  if (reply.kind === 'done') call?.resolve(reply.value as never)
  else call?.reject(new HoneError(reply.failure.code, reply.failure.message))
}

/** Logs what the child prints; the function returns its last lines, which tell why it crashed. */
function follow(child: ChildProcess, log: Logger): () => string {
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-500)
      log.debug('llama.prints', { text: text.trimEnd() })
    })
  }
  return () => tail.trim()
}

function endedError(how: string, said: string): HoneError {
  return new HoneError('ENGINE_FAILED', `The process that runs the model has ended (${how}).`, { fields: { said } })
}
