import { HoneError } from '../../errors.ts'
import type {
  ChatMessage,
  Delta,
  Engine,
  GenerateOptions,
  JsonSchema,
  LoadEngine,
  Version,
} from '../../ports/engine.ts'
import { filled } from '../filled.ts'
import { embedder } from './embed.ts'
import { generate } from './generate.ts'
import { type Leases, serve } from './lora.ts'
import { neutralPrompt } from './neutral.ts'
import { probe, type ServerFacts } from './probe.ts'
import { scorer } from './score.ts'
import { type Server, type ServerOptions, toServer } from './server.ts'
import { tokens } from './tokens.ts'
import { chatBody } from './wire.ts'

export { type Embed, httpEmbedder } from './embed.ts'

export interface HttpOptions extends ServerOptions {
  /** Name of the model on the server; empty where it has only one. */
  readonly model: string
  /** Context window in tokens; 0 or absent: what the server says, else 4,096. */
  readonly contextTokens?: number
}

/**
 * Engines on a server with an OpenAI-style API: vLLM, llama-server, Ollama, LM Studio and their like.
 * `fill` sends the schema as `response_format`; a server that ignores it is found out by whoever reads the answer.
 * What a server can't do is absent otherwise: `score` and `countTokens` need vLLM or llama-server, `embed` an `/embeddings` that
 * answers. LoRAs: vLLM loads them while it runs (PEFT folders, unloaded at dispose); llama-server serves those it was
 * started with.
 *
 * @throws HoneError CONFIG, NETWORK; from the loader also SWAP_REFUSED and LORA_MISMATCH.
 * @example
 * const load = http({ url: 'http://127.0.0.1:8000/v1', model: 'Qwen/Qwen3-4B', log })
 * await using engine = await load({ id: 'v0', base: 'Qwen/Qwen3-4B' })
 */
export function http({ model, contextTokens = 0, ...options }: HttpOptions): LoadEngine {
  const server = toServer(options)
  const leases: Leases = new Map()
  return async function loadHttp(version) {
    if (version.model) {
      throw new HoneError(
        'SWAP_REFUSED',
        `Version ${version.id} is a model of its own, and a server can't be given one while it runs. ` +
          `Serve it in process (leave HONE_ENGINE_URL empty), or start the server with ${version.model.path} as the base.`,
      )
    }
    if (version.lora && model !== '' && version.base !== model) {
      throw new HoneError(
        'LORA_MISMATCH',
        `Version ${version.id} has a LoRA for ${version.base}; the server serves ${model}.`,
      )
    }
    const facts = await probe(server, model)
    const known = contextTokens || facts.contextTokens
    if (!known) server.log.warn('engine.context-unknown', { server: server.root, assumed: 4096 })
    const engine = await build(server, { facts, version, leases, contextTokens: known || 4096 })
    server.log.info('engine.ready', { kind: facts.kind, model: facts.model, version: version.id })
    return engine
  }
}

interface Plan {
  readonly facts: ServerFacts
  readonly version: Version
  readonly leases: Leases
  readonly contextTokens: number
}

async function build(server: Server, { facts, version, leases, contextTokens }: Plan): Promise<Engine> {
  const embeds = await canEmbed(server, facts.model)
  const served = await serve(server, { facts, version, leases })
  const cut = tokens(server, facts, served)
  let disposed = false
  function say(prompt: readonly ChatMessage[], options: GenerateOptions, more: object = {}): AsyncIterable<Delta> {
    if (disposed) throw new HoneError('ENGINE_FAILED', `The engine of version ${version.id} was closed.`)
    const messages = neutralPrompt(prompt, facts.special)
    const body = chatBody(served.model, messages, options, { ...served.extra, ...more })
    return generate(server, { body, prompt, options })
  }
  return {
    version,
    contextTokens,
    generate: (prompt, options = {}) => say(prompt, options),
    fill: async (prompt, schema, options = {}) => filled(say(prompt, options, formOf(schema))),
    ...(cut ? { countTokens: async (prompt) => (await cut.prompt(prompt)).length } : {}),
    ...(cut ? { score: scorer(server, facts.kind, served, cut) } : {}),
    ...(embeds ? { embed: embedder(server, facts.model) } : {}),
    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      // A server that is gone has forgotten the LoRA too.
      await served.release().catch((error) => server.log.warn('engine.unload-failed', { version: version.id, error }))
    },
  }
}

/** How OpenAI's API asks for JSON of a schema; vLLM, llama-server, Ollama and LM Studio take it too. */
function formOf(schema: JsonSchema): object {
  return { response_format: { type: 'json_schema', json_schema: { name: 'form', strict: true, schema } } }
}

/** The only way to know is to try: chat servers refuse `/embeddings` with 400, 404, 500 or 501. */
async function canEmbed(server: Server, model: string): Promise<boolean> {
  try {
    const [vector] = await embedder({ ...server, firstByteMs: Math.min(server.firstByteMs, 15_000) }, model)(['a'])
    return (vector?.length ?? 0) > 0
  } catch {
    return false
  }
}
