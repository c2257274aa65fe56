import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { type Vocabulary, vocabulary } from './word-tokens.ts'

export interface FakeServerOptions {
  /** Which server's own paths it has beside OpenAI's. */
  readonly kind?: 'vllm' | 'ollama' | 'other'
  readonly key?: string
  readonly model?: string
  /** Whether vLLM was started so that LoRAs can be loaded. */
  readonly loraUpdates?: boolean
  /** Whether it sends usage and streams at all. */
  readonly usage?: boolean
  readonly streams?: boolean
  /** Whether it heeds `response_format`. */
  readonly forms?: boolean
}

/** What the next chat completion gets instead of an answer. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | { readonly silent: true }
  | { readonly raw: readonly (string | Buffer)[]; readonly thenCut?: true; readonly thenHang?: true }

export interface FakeServer extends AsyncDisposable {
  /** Up to and including `/v1`. */
  readonly url: string
  readonly requests: readonly { readonly path: string; readonly body: Record<string, unknown> }[]
  readonly loras: ReadonlyMap<string, string>
  fail(...faults: readonly Fault[]): void
  /** Resolves when the next fault has been played. */
  failed(): Promise<unknown>
  /** Resolves when a client next leaves before its answer is complete. */
  left(): Promise<unknown>
}

interface State {
  readonly options: Required<Omit<FakeServerOptions, 'key'>> & { readonly key: string }
  readonly faults: Fault[]
  readonly loras: Map<string, string>
  readonly events: EventEmitter
  readonly words: Vocabulary
}

interface Exchange {
  readonly path: string
  readonly body: Record<string, unknown>
  readonly response: ServerResponse
}

const message = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })
const chat = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean(),
  stream_options: z.strictObject({ include_usage: z.boolean() }).optional(),
  max_tokens: z.int().positive().optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  seed: z.int().optional(),
  response_format: z
    .strictObject({
      type: z.literal('json_schema'),
      json_schema: z.strictObject({ name: z.string(), strict: z.literal(true), schema: z.custom<Form>() }),
    })
    .optional(),
})
const embedding = z.strictObject({
  model: z.string(),
  input: z.array(z.string().min(1)).min(1),
  encoding_format: z.literal('float'),
})
const loraName = z.strictObject({ lora_name: z.string().min(1), lora_path: z.string().optional() })
const tokenize = z.union([
  z.strictObject({ model: z.string(), prompt: z.string(), add_special_tokens: z.boolean() }),
  z.strictObject({
    model: z.string(),
    messages: z.array(message),
    add_generation_prompt: z.boolean(),
    continue_final_message: z.boolean().optional(),
  }),
])
const completion = z.strictObject({
  model: z.string(),
  prompt: z.array(z.int()),
  max_tokens: z.int().positive(),
  temperature: z.number(),
  prompt_logprobs: z.int(),
})

/**
 * A server with an OpenAI-style API on loopback that takes nothing but correct requests. Its model repeats the last
 * user message, backwards when a LoRA answers; a token is a word.
 */
export async function openAiServer(given: FakeServerOptions = {}): Promise<FakeServer> {
  const defaults = {
    kind: 'other',
    key: '',
    model: 'test-model',
    loraUpdates: true,
    usage: true,
    streams: true,
    forms: true,
  } as const
  const requests: { path: string; body: Record<string, unknown> }[] = []
  const options = { ...defaults, ...given }
  const state: State = { options, faults: [], loras: new Map(), events: new EventEmitter(), words: vocabulary() }
  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) state.events.emit('left')
    })
    handle(request, response).catch((error) => response.destroy(error))
  })
  async function handle(request: IncomingMessage, response: ServerResponse) {
    const path = request.url ?? ''
    let text = ''
    for await (const part of request) text += part
    if (options.key && path.startsWith('/v1') && request.headers.authorization !== `Bearer ${options.key}`) {
      return refuse(response, 401, 'Incorrect API key provided')
    }
    if (request.method === 'GET') return look({ path, body: {}, response }, state)
    if (request.headers['content-type'] !== 'application/json') return refuse(response, 415, 'Unsupported Media Type')
    const body = JSON.parse(text) as Record<string, unknown>
    requests.push({ path, body })
    return answer({ path, body, response }, state)
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    loras: state.loras,
    fail: (...faults) => void state.faults.push(...faults),
    failed: () => once(state.events, 'failed'),
    left: () => once(state.events, 'left'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

function look({ path, response }: Exchange, { options, loras }: State) {
  const card = (id: string, root: string) =>
    options.kind === 'vllm'
      ? { id, object: 'model', owned_by: 'vllm', root, max_model_len: 2048 }
      : { id, object: 'model', owned_by: 'library' }
  if (path === '/v1/models') {
    const data = [card(options.model, options.model), ...[...loras].map(([name, root]) => card(name, root))]
    return send(response, { object: 'list', data })
  }
  if (path === '/version' && options.kind === 'vllm') return send(response, { version: '0.26.0' })
  if (path === '/api/version' && options.kind === 'ollama') return send(response, { version: '0.15.1' })
  if (path === '/api/ps' && options.kind === 'ollama') {
    return send(response, { models: [{ name: options.model, context_length: 8192 }] })
  }
  refuse(response, 404, 'Not Found')
}

async function answer(exchange: Exchange, state: State) {
  const { path, response } = exchange
  if (path === '/v1/chat/completions') return complete(exchange, state)
  if (path === '/v1/embeddings' && state.options.kind !== 'vllm') return embed(exchange, state)
  if (state.options.kind === 'vllm') {
    if (path === '/tokenize') return cut(exchange, state)
    if (path === '/v1/completions') return logprobs(exchange, state)
    if (path === '/v1/load_lora_adapter' && state.options.loraUpdates) return load(exchange, state)
    if (path === '/v1/unload_lora_adapter' && state.options.loraUpdates) return load(exchange, state)
  }
  refuse(response, 404, 'Not Found')
}

async function complete({ body, response }: Exchange, state: State) {
  const fault = state.faults.shift()
  if (fault) {
    state.events.emit('failed')
    return spoil(response, fault)
  }
  const request = take(chat, body, response)
  if (!request || !known(request.model, response, state)) return
  const form = state.options.forms && request.response_format?.json_schema.schema
  const last = request.messages.findLast(({ role }) => role === 'user')?.content ?? ''
  const words = state.words.cut(form ? JSON.stringify(anyOf(form), null, 1) : last)
  const said = !form && state.loras.has(request.model) ? words.toReversed() : words
  const pieces = said.slice(0, request.max_tokens)
  const finish_reason = pieces.length < said.length ? 'length' : 'stop'
  const prompt_tokens = state.words.chat(request.messages, 'open').length
  const counts = { prompt_tokens, completion_tokens: pieces.length, total_tokens: prompt_tokens + pieces.length }
  const usage = { ...counts, prompt_tokens_details: { cached_tokens: 1 } }
  const base = { id: 'chatcmpl-1', created: 1, model: request.model }
  if (!state.options.streams) {
    const choices = [{ index: 0, message: { role: 'assistant', content: pieces.join('') }, finish_reason }]
    return send(response, { ...base, object: 'chat.completion', choices, usage })
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const chunk = (choices: unknown, more = {}) =>
    response.write(`data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`)
  chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])
  for (const content of pieces) chunk([{ index: 0, delta: { content }, finish_reason: null }])
  chunk([{ index: 0, delta: {}, finish_reason }])
  if (request.stream_options?.include_usage && state.options.usage) chunk([], { usage })
  response.end('data: [DONE]\n\n')
}

interface Form {
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly oneOf?: readonly Form[]
  readonly properties?: Readonly<Record<string, Form>>
}

/** Something that fits a schema. */
function anyOf(schema: Form): unknown {
  if (schema.enum) return schema.enum[0]
  if (schema.oneOf?.[0]) return anyOf(schema.oneOf[0])
  if (schema.format === 'date') return '2026-01-31'
  const simple: Record<string, unknown> = { boolean: true, integer: 7, number: 1.5, string: 'text', array: [] }
  if (schema.type !== 'object') return simple[schema.type ?? '']
  return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, anyOf(one)]))
}

function spoil(response: ServerResponse, fault: Fault) {
  if ('silent' in fault) return
  if ('status' in fault) {
    response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
    response.end(typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body ?? {}))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const part of fault.raw) response.write(part)
  if (fault.thenHang) return
  if (fault.thenCut) response.write('', () => response.destroy())
  else response.end()
}

function embed({ body, response }: Exchange, state: State) {
  const request = take(embedding, body, response)
  if (!request || !known(request.model, response, state)) return
  const data = request.input.map((text, index) => ({ object: 'embedding', index, embedding: state.words.vector(text) }))
  send(response, { object: 'list', data: data.toReversed(), model: request.model })
}

function load({ path, body, response }: Exchange, { loras }: State) {
  const request = take(loraName, body, response)
  if (!request) return
  const { lora_name: name, lora_path: folder } = request
  if (path.endsWith('/unload_lora_adapter')) {
    if (!loras.delete(name)) return refuse(response, 404, `The lora adapter '${name}' cannot be found.`)
  } else {
    if (!folder) return refuse(response, 400, "Both 'lora_name' and 'lora_path' must be provided.")
    if (loras.has(name)) return refuse(response, 400, `The lora adapter '${name}' has already been loaded.`)
    loras.set(name, folder)
  }
  response.end(`Success: LoRA adapter '${name}' done.`)
}

function cut({ body, response }: Exchange, state: State) {
  const request = take(tokenize, body, response)
  if (!request || !known(request.model, response, state)) return
  const { words } = state
  const found =
    'prompt' in request
      ? words.text(request.prompt, request.add_special_tokens)
      : words.chat(
          request.messages,
          request.add_generation_prompt ? 'open' : request.continue_final_message ? 'continued' : 'closed',
        )
  send(response, { count: found.length, max_model_len: 2048, tokens: found })
}

function logprobs({ body, response }: Exchange, state: State) {
  const request = take(completion, body, response)
  if (!request || !known(request.model, response, state)) return
  const shift = state.loras.has(request.model) ? 0.25 : 0
  const prompt_logprobs = request.prompt.map((token, i) => {
    if (i === 0) return null
    const own = { logprob: -1 - (token % 7) / 8 - shift, rank: 2, decoded_token: String(token) }
    return { [token]: own, 999999: { logprob: -0.1, rank: 1, decoded_token: 'best' } }
  })
  send(response, {
    object: 'text_completion',
    choices: [{ index: 0, text: 'x', finish_reason: 'length', prompt_logprobs }],
  })
}

function take<T>(shape: z.ZodType<T>, body: unknown, response: ServerResponse): T | undefined {
  const parsed = shape.safeParse(body)
  if (parsed.success) return parsed.data
  refuse(response, 400, z.prettifyError(parsed.error))
}

function known(model: string, response: ServerResponse, { options, loras }: State): boolean {
  if (model === options.model || loras.has(model)) return true
  refuse(response, 404, `The model \`${model}\` does not exist.`)
  return false
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const body = { error: { message, type: 'invalid_request_error', param: null, code: status } }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
