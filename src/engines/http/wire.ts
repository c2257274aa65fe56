import { z } from 'zod'
import { HoneError } from '../../errors.ts'
import type { ChatMessage, GenerateOptions, Usage } from '../../ports/engine.ts'

/** Counts as one message of the server tells them; any may be missing. */
export interface Counts {
  readonly prompt?: number
  readonly cached?: number
  readonly completion?: number
}

/** What one message of a stream says. */
export interface Piece {
  readonly text: string
  readonly ended?: 'stop' | 'length'
  readonly counts?: Counts
}

const count = z.number().int().nonnegative().nullish()

/** `chat.completion.chunk` and `chat.completion` alike, with llama-server's `timings`; unknown fields pass. */
const message = z.object({
  error: z.union([z.string(), z.object({ message: z.string().nullish() })]).nullish(),
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        message: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z
    .object({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.object({ cached_tokens: count }).nullish(),
    })
    .nullish(),
  timings: z.object({ prompt_n: count, cache_n: count, predicted_n: count }).nullish(),
})

/**
 * Reads one message: a chunk of a stream, or the whole answer of a server that doesn't stream.
 *
 * @throws HoneError ENGINE_FAILED for what is no such message, and for an error the server reports in mid-stream.
 */
export function readPiece(json: string): Piece {
  const parsed = message.safeParse(parse(json))
  if (!parsed.success) throw new HoneError('ENGINE_FAILED', `The server sent what is no chat completion: ${cut(json)}`)
  const { error, choices, usage, timings } = parsed.data
  if (error) {
    const said = typeof error === 'string' ? error : (error.message ?? 'no reason given')
    throw new HoneError('ENGINE_FAILED', `The server gave up in the middle of a reply: ${cut(said)}`)
  }
  const choice = choices?.[0]
  const reason = choice?.finish_reason
  const counts = usage || timings ? toCounts(usage, timings) : undefined
  return {
    text: choice?.delta?.content ?? choice?.message?.content ?? '',
    ...(reason ? { ended: reason === 'length' ? ('length' as const) : ('stop' as const) } : {}),
    ...(counts ? { counts } : {}),
  }
}

type Parsed = z.infer<typeof message>

function toCounts(usage: Parsed['usage'], timings: Parsed['timings']): Counts {
  const processed = timings?.prompt_n == null ? undefined : timings.prompt_n + (timings.cache_n ?? 0)
  const prompt = usage?.prompt_tokens ?? processed
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? timings?.cache_n
  const completion = usage?.completion_tokens ?? timings?.predicted_n
  return {
    ...(prompt == null ? {} : { prompt }),
    ...(cached == null ? {} : { cached }),
    ...(completion == null ? {} : { completion }),
  }
}

/**
 * Token counts of a generation. Where the server gives none, the prompt is guessed at four characters a token and
 * every streamed piece counts as one token, which is how the known servers stream.
 */
export function toUsage(counts: Counts, prompt: readonly ChatMessage[], pieces: number): Usage {
  const guess = Math.ceil(prompt.reduce((sum, { content }) => sum + content.length, 0) / 4)
  const total = counts.prompt ?? guess
  return {
    prompt: total,
    evaluated: Math.max(0, total - (counts.cached ?? 0)),
    completion: counts.completion ?? pieces,
  }
}

/** The body of a streaming `POST /chat/completions`. `extra` is what one kind of server takes beside OpenAI's fields. */
export function chatBody(
  model: string,
  messages: readonly { readonly role: string; readonly content: string }[],
  options: GenerateOptions,
  extra: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...(options.maxTokens === undefined ? {} : { max_tokens: options.maxTokens }),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.topP === undefined ? {} : { top_p: options.topP }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...extra,
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const cut = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 200)
