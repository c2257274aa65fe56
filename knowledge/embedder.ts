import { asHoneError, HoneError } from '../src/errors.ts'

/** Whether a text is asked or stored: some embedding models want a different prefix for each. */
export type EmbedKind = 'query' | 'document'

/** What turns texts into vectors. */
export interface Embedder {
  /** Same id, same vectors: vectors are kept under it and never computed twice. */
  readonly id: string
  /** Numbers a vector. */
  readonly width: number
  /** One unit-length vector a text, in order. */
  embed(texts: readonly string[], kind: EmbedKind, signal?: AbortSignal): Promise<readonly Float32Array[]>
  /**
   * The dense leg's share that is known to be good with this embedder, 0 to 1. It serves until a corpus was measured, and
   * decides between mixes that the measurement can't tell apart. Absent: 0.3, mostly words.
   */
  readonly share?: number
  /** The likeness (cosine) from which a sentence is near to a question. Absent: every one above 0. */
  readonly near?: number
  /** Present: the embedder has something to learn from the corpus (word frequencies, say) before it is good. */
  readonly fitting?: Fitting
}

/** How an embedder learns from the texts that it will be used on. What it learnt is kept in the index. */
export interface Fitting {
  learn(texts: readonly string[], signal?: AbortSignal): Promise<string>
  /** The embedder that uses what was learnt. Its id tells two states apart. */
  apply(state: string): Embedder
}

/** What an engine or an embeddings endpoint offers: one vector a text. */
export type EmbedTexts = (texts: readonly string[], signal?: AbortSignal) => Promise<readonly Float32Array[]>

export interface EmbedFunctionOptions {
  /** Names the model and whatever changes its vectors. */
  readonly id: string
  readonly width: number
  readonly embed: EmbedTexts
  /** Put before texts, for models that were trained with such words, e.g. `search_query: `. */
  readonly prefixes?: Readonly<Record<EmbedKind, string>>
}

/**
 * An embedder from a function, such as `engine.embed` or an embeddings endpoint.
 *
 * @throws HoneError ENGINE_FAILED when the function fails or its vectors have another width or number.
 * @example embedFunction({ id: 'nomic-embed-text', width: 768, embed: (texts, signal) => engine.embed(texts, signal) })
 */
export function embedFunction(options: EmbedFunctionOptions): Embedder {
  const { id, width, prefixes } = options
  return {
    id,
    width,
    async embed(texts, kind, signal) {
      const asked = prefixes ? texts.map((text) => prefixes[kind] + text) : texts
      const vectors = await options.embed(asked, signal).catch((error: unknown) => {
        throw asHoneError(error, 'ENGINE_FAILED', `The embedding model ${id} failed`)
      })
      if (vectors.length !== texts.length || vectors.some((vector) => vector.length !== width)) {
        const got = `${vectors.length} vectors of width ${vectors[0]?.length ?? 0}`
        throw new HoneError('ENGINE_FAILED', `${id} gave ${got} for ${texts.length} texts of width ${width}.`)
      }
      return vectors.map(unit)
    },
  }
}

/** The same direction at length 1; a vector of zeros stays one. */
export function unit(vector: Float32Array): Float32Array {
  let sum = 0
  for (const value of vector) sum += value * value
  const length = Math.sqrt(sum)
  return length > 0 && Number.isFinite(length) ? vector.map((value) => value / length) : new Float32Array(vector.length)
}
