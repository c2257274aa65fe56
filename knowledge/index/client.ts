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
  | { readonly id: number; readonly ok: false; readonly message: string; readonly code?: ErrorCode }

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

  function start(): Worker {
    const fresh = new Worker(sibling('worker'), { workerData: options, name: 'hone-knowledge' })
    fresh.on('message', (answer: Answer) => settle(fresh, answer))
    fresh.on('error', (error) => fail(fresh, `The knowledge index stopped: ${error.message}`))
    fresh.on('exit', () => fail(fresh, 'The knowledge index stopped.'))
    return fresh
  }
  function settle(from: Worker, answer: Answer): void {
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (waiting.size === 0) from.unref()
    if (answer.ok) one?.resolve(answer.value)
    else one?.reject(new HoneError(answer.code ?? 'STORE', answer.message))
  }
  function fail(from: Worker, message: string): void {
    if (worker !== from) return
    worker = undefined
    for (const one of waiting.values()) one.reject(new HoneError('STORE', message))
    waiting.clear()
  }
  return {
    call(name, input) {
      worker ??= start()
      worker.ref()
      const id = ++count
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      waiting.set(id, { resolve, reject })
      worker.postMessage({ id, name, input } satisfies Ask)
      return promise as Promise<Awaited<ReturnType<IndexCalls[typeof name]>>>
    },
    async close() {
      if (!worker) return
      await this.call('close', null)
      const ending = worker
      worker = undefined
      await ending.terminate()
    },
  }
}

/** A module beside this one, in source and in `dist` alike. */
function sibling(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}
