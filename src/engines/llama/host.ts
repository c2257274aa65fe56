import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { HoneError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Engine, LoadEngine, LoraRef, Version } from '../../ports/engine.ts'
import { createEngine, type Seat } from './engine.ts'
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

/** Runs one base model in a child process and makes engines on it. */
export interface LlamaHost extends AsyncDisposable {
  /** Process of the child that new engines go to; for diagnostics. */
  readonly pid: number | undefined
  readonly modelPath: string
  readonly load: LoadEngine
  /** Token ids of texts in which nothing is special; no BOS, no EOS. */
  tokenize(texts: readonly string[]): Promise<number[][]>
  /** Ends all processes; what runs in them fails, and the next call on any engine starts a fresh one. */
  restart(): Promise<void>
}

/** A child with the model loaded. */
interface Worker {
  readonly link: Link
  readonly facts: ModelFacts
  /** Path and SHA-256 of what llama.cpp keeps until the process ends. */
  readonly loras: Map<string, string>
  /** Engines with a context in it, and calls on the model itself. */
  users: number
}

/**
 * An engine host on llama.cpp, through node-llama-cpp, in a process of its own.
 *
 * The base model is in memory once; each engine is a context on it, with its version's LoRA. If the process dies,
 * what ran in it fails with ENGINE_FAILED and the next call starts another.
 *
 * @example
 * await using host = llama({ modelPath: 'starter.gguf', log })
 * await using engine = await host.load({ id: 'v0', base: 'starter.gguf' })
 */
export function llama(options: LlamaOptions): LlamaHost {
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
    modelPath: options.modelPath,
    load: (version) => loadEngine(version, options, { take, give }),
    async tokenize(texts) {
      const worker = await take()
      return worker.link.call('tokenize', { texts }).finally(() => give(worker))
    },
    async restart() {
      const old = [...workers]
      workers.clear()
      current = newest = undefined
      await Promise.all(old.map((one) => one.link.end()))
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await current?.catch(() => undefined)
      await Promise.all([...workers].map((one) => one.link.end()))
    },
  }
}

interface Workers {
  take(lora?: LoraRef): Promise<Worker>
  give(worker: Worker): Promise<void>
}

/** llama.cpp keeps LoRAs by path: a new file under an old path would be ignored without a word. */
function hasRoom({ loras }: Worker, lora: LoraRef, recycleAfter: number): boolean {
  return loras.has(lora.path) ? loras.get(lora.path) === lora.sha256 : loras.size < recycleAfter
}

let contexts = 0

async function loadEngine(version: Version, options: LlamaOptions, { take, give }: Workers): Promise<Engine> {
  if ((await real(version.base)) !== (await real(options.modelPath))) {
    const message = `Version ${version.id} was made on ${version.base}; the model that serves is ${options.modelPath}.`
    throw new HoneError('LORA_MISMATCH', message)
  }
  const { parallel = 4, contextTokens = 0 } = options
  const { lora } = version
  async function sit(): Promise<Seat> {
    const worker = await take(lora)
    const { link, facts } = worker
    const context = ++contexts
    try {
      const opened = await link.call('open', { context, parallel, contextTokens, ...(lora && { lora }) })
      let left: Promise<void> | undefined
      const leave = async () => {
        await link.call('close', { context }).catch(() => undefined)
        await give(worker)
      }
      return { link, context, facts, ...opened, leave: () => (left ??= leave()) }
    } catch (error) {
      await give(worker)
      throw error
    }
  }
  return createEngine(version, sit, await sit())
}

async function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path))
}
