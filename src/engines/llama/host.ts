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
 * The base model is in memory once; each engine is a context on it, with its version's LoRA. If the process dies,
 * what ran in it fails with ENGINE_FAILED and the next call starts another.
 *
 * @example
 * await using host = llama({ modelPath: 'starter.gguf', log })
 * await using engine = await host.load({ id: 'v0', base: 'starter.gguf' })
 */
export function llama(options: LlamaOptions): LlamaHost {
  const workers = createWorkers(options)
  return {
    get pid() {
      return workers.pid
    },
    modelPath: options.modelPath,
    load: (version) => loadEngine(version, options, workers),
    async tokenize(texts) {
      const worker = await workers.take()
      return worker.link.call('tokenize', { texts }).finally(() => workers.give(worker))
    },
    restart: () => workers.end(),
    [Symbol.asyncDispose]: () => workers.close(),
  }
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
