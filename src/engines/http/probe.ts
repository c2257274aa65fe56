import { z } from 'zod'
import { HoneError } from '../../errors.ts'
import { ask, type Server } from './server.ts'

/** Servers that can do more than OpenAI's API, by what they answer to questions only they know. */
export type ServerKind = 'vllm' | 'llama-server' | 'ollama' | 'lm-studio' | 'other'

/** What a server says about itself. */
export interface ServerFacts {
  readonly kind: ServerKind
  /** The model's name as requests must give it. */
  readonly model: string
  /** Tokens of one conversation, where the server says so. */
  readonly contextTokens?: number
  /** LoRAs that llama-server was started with. */
  readonly loras: readonly { readonly id: number; readonly path: string }[]
  /** Control tokens the server names. */
  readonly special: readonly string[]
}

const models = z.object({
  data: z.array(z.object({ id: z.string(), owned_by: z.string().nullish(), max_model_len: z.number().nullish() })),
})
const props = z.object({
  default_generation_settings: z.object({ n_ctx: z.number().nullish() }),
  bos_token: z.string().nullish(),
  eos_token: z.string().nullish(),
})
const version = z.object({ version: z.string() })
const running = z.object({ models: z.array(z.object({ name: z.string(), context_length: z.number().nullish() })) })
const studio = z.object({ data: z.array(z.object({ id: z.string(), loaded_context_length: z.number().nullish() })) })
const adapters = z.array(z.object({ id: z.number(), path: z.string() }))

type Listed = z.infer<typeof models>['data']

/**
 * Asks a server what it is and whether it has the model. An empty `model` takes the only one there is.
 *
 * @throws HoneError NETWORK when nobody answers, CONFIG when the key or the model is wrong.
 */
export async function probe(server: Server, model: string, signal?: AbortSignal): Promise<ServerFacts> {
  const listed = await list(server, signal)
  const peek = <T>(path: string, shape: z.ZodType<T>) => look(server, `${server.root}${path}`, shape, signal)
  const [llama, vllm, ollama, lmStudio] = await Promise.all([
    peek('/props', props),
    peek('/version', version),
    peek('/api/version', version),
    peek('/api/v0/models', studio),
  ])
  if (llama) return llamaServer(server, { llama, listed, model }, signal)
  const name = pick(server, listed, model)
  const facts = { model: name, loras: [], special: [] }
  if (vllm && listed.some((entry) => entry.owned_by === 'vllm' || entry.max_model_len)) {
    return { ...facts, kind: 'vllm', ...context(listed.find(({ id }) => id === name)?.max_model_len) }
  }
  if (ollama) {
    const active = await peek('/api/ps', running)
    const length = active?.models.find((entry) => same(entry.name, name))?.context_length
    // Ollama gives a model that isn't loaded yet 4,096 tokens, whatever it was trained for.
    return { ...facts, kind: 'ollama', ...context(length ?? 4096) }
  }
  const loaded = lmStudio?.data.find(({ id }) => id === name)?.loaded_context_length
  return { ...facts, kind: lmStudio ? 'lm-studio' : 'other', ...context(loaded) }
}

/** llama-server serves one model under any name. */
async function llamaServer(
  server: Server,
  { llama, listed, model }: { llama: z.infer<typeof props>; listed: Listed; model: string },
  signal?: AbortSignal,
): Promise<ServerFacts> {
  const loras = await look(server, `${server.root}/lora-adapters`, adapters, signal)
  return {
    kind: 'llama-server',
    model: model || listed[0]?.id || 'default',
    ...context(llama.default_generation_settings.n_ctx),
    loras: loras ?? [],
    special: [llama.bos_token, llama.eos_token].filter((token): token is string => Boolean(token)),
  }
}

const context = (tokens: number | null | undefined) => (tokens ? { contextTokens: tokens } : {})

/** Ollama takes `qwen3` for `qwen3:latest`. */
const same = (listed: string, asked: string) => listed === asked || listed === `${asked}:latest`

function pick(server: Server, listed: Listed, model: string): string {
  const names = listed.map(({ id }) => id)
  const only = names[0]
  if (model === '' && names.length === 1 && only) return only
  if (model !== '' && (names.length === 0 || names.some((name) => same(name, model)))) return model
  const has = names.length === 0 ? 'it lists none' : `it has ${names.slice(0, 10).join(', ')}`
  const said = model === '' ? 'needs the name of a model' : `has no model "${model}"`
  throw new HoneError('CONFIG', `The server at ${server.root} ${said}; ${has}. Set HONE_MODEL to one of them.`)
}

/** A few small servers list no models at all; that alone is no reason to refuse them. */
async function list(server: Server, signal?: AbortSignal): Promise<Listed> {
  try {
    const parsed = models.safeParse(await ask(server, { to: 'models' }, signal))
    return parsed.success ? parsed.data.data : []
  } catch (error) {
    if (error instanceof HoneError && error.code === 'CONFIG' && /\(404\)/.test(error.message)) return []
    throw error
  }
}

/** A question that only one kind of server can answer: anything but a fine answer means it is another kind. */
async function look<T>(server: Server, to: string, shape: z.ZodType<T>, signal?: AbortSignal): Promise<T | undefined> {
  try {
    const parsed = shape.safeParse(await ask({ ...server, firstByteMs: 5000 }, { to }, signal))
    return parsed.success ? parsed.data : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}
