import { type Embedder, unit } from './embedder.ts'
import { contentWords } from './index/terms.ts'
import type { TokenRows } from './static-embedder.ts'
import { wordPieces } from './word-pieces.ts'

/**
 * What a trained table is best mixed with, measured before it was trained on sentences too: on nine invented handbooks (403
 * questions) the right passage came first for 72 % at a share of 0.3, 85 % at 0.7, 87 % at 0.8 and at 1; on the sample handbook
 * (`--suite retrieval`) for 52, 73, 73 and 73 %.
 */
const share = 0.8

/**
 * The likeness from which the shipped table calls a sentence near: on sheets about unseen handbooks 5 % of 1,766 questions that the
 * passages answer have no sentence so near, and 86 % of 432 that they don't.
 */
const near = 0.4

export interface WordEmbedderOptions {
  /** Names the table, e.g. by its file's hash. */
  readonly id: string
  /** The words and pieces that the rows belong to, in order. */
  readonly tokens: readonly string[]
  /** Trained rows: a long one says much about its text, a short one little. */
  readonly rows: TokenRows
}

/**
 * An embedder from a trained table of words: a text's vector is the sum of its words' rows, at unit length. It has learnt
 * which words matter, so it needs nothing from the corpus. A question without any content word ("hello, how are you?") is
 * about no passage: its vector is zero.
 *
 * @example wordEmbedder({ id: sha256, tokens: table.tokens, rows: table })
 */
export function wordEmbedder({ id, tokens, rows }: WordEmbedderOptions): Embedder {
  const cut = wordPieces(tokens)
  const kept = new Map<number, Float32Array>()
  const row = (token: number) => {
    const known = kept.get(token) ?? rows.row(token)
    kept.set(token, known)
    return known
  }
  const vector = (text: string) => {
    const sum = new Float32Array(rows.width)
    for (const token of cut(text)) for (const [i, value] of row(token).entries()) sum[i] = (sum[i] as number) + value
    return unit(sum)
  }
  return {
    id: `words:${id}`,
    width: rows.width,
    share,
    near,
    async embed(texts, kind, signal) {
      signal?.throwIfAborted()
      const aimless = (text: string) => kind === 'query' && contentWords(text).length === 0
      return texts.map((text) => (aimless(text) ? new Float32Array(rows.width) : vector(text)))
    },
  }
}
