import { Worker } from 'node:worker_threads'
import { type ErrorCode, HoneError } from '../../src/errors.ts'
import type { IndexCalls, IndexOptions } from './open.ts'

/** A call on its way to the index's thread, and what comes back. */
export interface Ask {
  readonly id: number
  readonly name: keyof IndexCalls
  readonly input: unknown
}
export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly code: ErrorCode }

/** The index, reached through messages. A thread that died is started anew by the next call. */
export interface IndexClient {
  call<K extends keyof IndexCalls>(
    name: K,
    input: Parameters<IndexCalls[K]>[0],
  ): Promise<Awaited<ReturnType<IndexCalls[K]>>>
  close(): Promise<void>
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: HoneError) => void
}

/** Starts the index in a thread of its own. It keeps the process alive only while a call is under way. */
export function startIndex(options: IndexOptions): IndexClient {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let count = 0
  let closed = false

  function start(): Worker {
    const fresh = new Worker(sibling('worker'), { workerData: options, name: 'hone-knowledge' })
    const stopped = (message: string) => {
      if (worker !== fresh) return
      worker = undefined
      failAll(waiting, message)
    }
    fresh.on('message', (answer: Answer) => {
      settle(waiting, answer)
      if (waiting.size === 0) fresh.unref()
    })
    fresh.on('error', (error) => stopped(`The knowledge index stopped: ${error.message}`))
    fresh.on('exit', () => stopped('The knowledge index stopped.'))
    return fresh
  }
  async function call(name: keyof IndexCalls, input: unknown): Promise<unknown> {
    if (closed) throw new HoneError('STORE', 'The knowledge is closed.')
    worker ??= start()
    worker.ref()
    const id = ++count
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, name, input } satisfies Ask)
    return promise
  }
  async function close(): Promise<void> {
    const ending = worker
    const last = ending && call('close', null)
    closed = true
    await last
    worker = undefined
    await ending?.terminate()
  }
  return { call: call as IndexClient['call'], close }
}

function settle(waiting: Map<number, Waiting>, answer: Answer): void {
  const one = waiting.get(answer.id)
  waiting.delete(answer.id)
  if (answer.ok) one?.resolve(answer.value)
  else one?.reject(new HoneError(answer.code, answer.message))
}

function failAll(waiting: Map<number, Waiting>, message: string): void {
  for (const one of waiting.values()) one.reject(new HoneError('STORE', message))
  waiting.clear()
}

/** A module beside this one, in source and in `dist` alike. */
function sibling(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}
