import { resolve } from 'node:path'
import { HoneError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { LoraRef } from '../../ports/engine.ts'
import { createLink, type Link } from './link.ts'
import type { ModelFacts } from './protocol.ts'

export interface LlamaOptions {
  /** A GGUF file. */
  readonly modelPath: string
  readonly log: Logger
  /** Longest prompt plus reply of one thread, in tokens. Default: what the model was trained for, at most 8192. */
  readonly contextTokens?: number
  /** Replies generated at the same time, and threads whose state is kept. Default 4. */
  readonly parallel?: number
  /** LoRAs loaded into one process before the next one gets a fresh process: llama.cpp never frees them. Default 8. */
  readonly recycleAfter?: number
  /** Use a GPU when there is one. Default true. */
  readonly gpu?: boolean
  /** CPU threads. Default: one for every 100 MB of weights, at most one a core. */
  readonly threads?: number
}

/** A child with the model loaded. */
export interface Worker {
  readonly link: Link
  readonly facts: ModelFacts
  /** Path and SHA-256 of what llama.cpp keeps until the process ends. */
  readonly loras: Map<string, string>
  /** Engines with a context in it, and calls on the model itself. */
  users: number
}

/** The child processes of one host: one that new contexts go to, and older ones until their last engine is gone. */
export interface Workers {
  /** Process of the newest worker. */
  readonly pid: number | undefined
  /** @throws HoneError when the model can't be loaded, or after `close` */
  take(lora?: LoraRef): Promise<Worker>
  give(worker: Worker): Promise<void>
  /** Ends all; the next `take` starts another. */
  end(): Promise<void>
  close(): Promise<void>
}

/** Starts, recycles and ends the processes. */
export function createWorkers(options: LlamaOptions): Workers {
  const { log, recycleAfter = 8 } = options
  const workers = new Set<Worker>()
  let current: Promise<Worker> | undefined
  let newest: Worker | undefined
  let closed = false

  async function start(): Promise<Worker> {
    if (closed) throw new HoneError('ENGINE_FAILED', 'The engine host has been shut down.')
    const link = createLink(log)
    try {
      const { modelPath: model, gpu = true, threads = 0 } = options
      const facts = await link.call('start', { model: resolve(model), gpu, threads })
      log.info('llama.started', { pid: link.pid, ...facts })
      newest = { link, facts, loras: new Map(), users: 0 }
      workers.add(newest)
      return newest
    } catch (error) {
      await link.end()
      throw error
    }
  }

  /** Takes a worker for a new context; a fresh one when the last is dead or can't take this LoRA. */
  async function take(lora?: LoraRef): Promise<Worker> {
    const before = current
    const found = await before?.catch(() => undefined)
    if (found?.link.alive && (!lora || hasRoom(found, lora, recycleAfter))) {
      found.users++
      if (lora) found.loras.set(lora.path, lora.sha256)
      return found
    }
    // Someone else may have started one while this call waited.
    if (current === before) {
      newest = undefined
      current = start()
      if (found) void retire(found)
      await current
    }
    return take(lora)
  }

  async function give(worker: Worker): Promise<void> {
    worker.users--
    await retire(worker)
  }

  /** Ends a worker that nobody uses any more, unless it is the one that the next context goes to. */
  async function retire(worker: Worker): Promise<void> {
    if (worker.link.alive && (worker.users > 0 || worker === newest)) return
    workers.delete(worker)
    await worker.link.end()
  }

  return {
    get pid() {
      return newest?.link.alive ? newest.link.pid : undefined
    },
    take,
    give,
    async end() {
      const old = [...workers]
      workers.clear()
      current = newest = undefined
      await Promise.all(old.map((one) => one.link.end()))
    },
    async close() {
      closed = true
      await current?.catch(() => undefined)
      await Promise.all([...workers].map((one) => one.link.end()))
    },
  }
}

/** llama.cpp keeps LoRAs by path: a new file under an old path would be ignored without a word. */
function hasRoom({ loras }: Worker, lora: LoraRef, recycleAfter: number): boolean {
  return loras.has(lora.path) ? loras.get(lora.path) === lora.sha256 : loras.size < recycleAfter
}
