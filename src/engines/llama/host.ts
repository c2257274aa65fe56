import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { HoneError } from '../../errors.ts'
import type { Engine, LoadEngine, Version } from '../../ports/engine.ts'
import { createEngine, type Seat } from './engine.ts'
import { createWorkers, type LlamaOptions, type Workers } from './workers.ts'

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

/**
 * An engine host on llama.cpp, through node-llama-cpp, in a process of its own.
 *
 * The base model is in memory once; each engine is a context on it, with its version's LoRA. A version that is a model
 * of its own has a process of its own, which ends with its engine. If a process dies, what ran in it fails with
 * ENGINE_FAILED and the next call starts another.
 *
 * @example
 * await using host = llama({ modelPath: 'starter.gguf', log })
 * await using engine = await host.load({ id: 'v0', base: 'starter.gguf' })
 */
export function llama(options: LlamaOptions): LlamaHost {
  const workers = createWorkers(options)
  const own = new Set<Workers>()
  const all = () => [workers, ...own]
  return {
    get pid() {
      return workers.pid
    },
    modelPath: options.modelPath,
    async load(version) {
      await refuseForeign(version, options.modelPath)
      if (!version.model) return loadEngine(version, options, workers)
      const alone = createWorkers({ ...options, modelPath: version.model.path })
      own.add(alone)
      const end = async () => {
        own.delete(alone)
        await alone.close()
      }
      const engine = await loadEngine(version, options, alone).catch((error) => end().then(() => Promise.reject(error)))
      const dispose = async () => {
        await engine[Symbol.asyncDispose]()
        await end()
      }
      return { ...engine, [Symbol.asyncDispose]: dispose }
    },
    async tokenize(texts) {
      const worker = await workers.take()
      return worker.link.call('tokenize', { texts }).finally(() => workers.give(worker))
    },
    restart: async () => void (await Promise.all(all().map((some) => some.end()))),
    [Symbol.asyncDispose]: async () => void (await Promise.all(all().map((some) => some.close()))),
  }
}

let contexts = 0

async function refuseForeign({ id, base }: Version, modelPath: string): Promise<void> {
  if ((await real(base)) === (await real(modelPath))) return
  throw new HoneError('LORA_MISMATCH', `Version ${id} was made on ${base}; the model that serves is ${modelPath}.`)
}

async function loadEngine(version: Version, options: LlamaOptions, { take, give }: Workers): Promise<Engine> {
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
