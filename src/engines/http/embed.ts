import { z } from 'zod'
import { HoneError } from '../../errors.ts'
import { ask, type Server, type ServerOptions, toServer } from './server.ts'
import { expect } from './tokens.ts'

/** Turns texts into vectors of unit length, one a text, in their order. */
export type Embed = (texts: readonly string[], signal?: AbortSignal) => Promise<readonly Float32Array[]>

const embeddings = z.object({
  data: z.array(z.object({ index: z.number().int().nullish(), embedding: z.array(z.number()) })),
})

/** Texts in one request; servers refuse very long lists. */
const batchSize = 64

/** An embedder over `POST /embeddings`. */
export function embedder(server: Server, model: string): Embed {
  async function batch(input: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]> {
    const body = { model, input, encoding_format: 'float' }
    const { data } = expect(embeddings, await ask(server, { to: 'embeddings', body }, signal), '/embeddings')
    if (data.length !== input.length) {
      throw new HoneError('ENGINE_FAILED', `The server sent ${data.length} vectors for ${input.length} texts.`)
    }
    const ordered = data.map(({ index, embedding }, i) => ({ at: index ?? i, embedding })).sort((a, b) => a.at - b.at)
    return ordered.map(({ embedding }) => unit(embedding))
  }
  return async function embed(texts, signal) {
    const vectors: Float32Array[] = []
    for (let at = 0; at < texts.length; at += batchSize) {
      vectors.push(...(await batch(texts.slice(at, at + batchSize), signal)))
    }
    return vectors
  }
}

/**
 * An embedder on any server with an OpenAI-style `/embeddings`, apart from the serving model.
 *
 * @throws HoneError CONFIG for an address that is none; the embedder itself throws NETWORK, CONFIG or ENGINE_FAILED.
 * @example const embed = httpEmbedder({ url: 'http://127.0.0.1:11434/v1', model: 'nomic-embed-text', log })
 */
export function httpEmbedder({ model = '', ...options }: ServerOptions & { readonly model?: string }): Embed {
  return embedder(toServer(options), model)
}

/** A text without any content has no direction; it stays a zero vector. */
function unit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values)
  return Float32Array.from(values, (value) => (length === 0 ? 0 : value / length))
}
