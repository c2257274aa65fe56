import { HoneError } from '../src/errors.ts'
import type { Highlight, HighlightOptions, Passage } from '../src/ports/knowledge.ts'
import type { Embedder } from './embedder.ts'
import { sentences } from './sentences.ts'
import { dot } from './static-embedder.ts'

/**
 * How near another sentence must be to be shown beside the nearest, as a share. With a table made like the shipped one, on 24
 * invented handbooks (1,888 questions, two sentences at most) 65 % showed one, which answered 99 % of them, and 95 % showed one that answers.
 */
const close = 0.8
/** A longer sentence is no highlight. */
const longest = 400

/**
 * The sentences of passages that are nearest to a query, the nearest first: the one, and those about as near.
 *
 * @throws HoneError ENGINE_FAILED when the embedder gives too few vectors.
 * @example await highlight('May I bring my dog?', passages, embedder, { most: 3 })
 */
export async function highlight(
  query: string,
  passages: readonly Passage[],
  embedder: Embedder,
  { most, signal }: HighlightOptions,
): Promise<readonly Highlight[]> {
  const found = passages.flatMap((passage) =>
    sentences(passage.text)
      .filter(({ text }) => text.length <= longest)
      .map(({ text, about }) => ({ passage, text, told: `${passage.title}\n${about} ${text}` })),
  )
  if (found.length === 0 || most === 0) return []
  const [[asked], vectors] = await Promise.all([
    embedder.embed([query], 'query', signal),
    embedder.embed(
      found.map(({ told }) => told),
      'document',
      signal,
    ),
  ])
  if (!asked || vectors.length !== found.length) {
    throw new HoneError('ENGINE_FAILED', `${embedder.id} gave ${vectors.length} vectors for ${found.length} sentences.`)
  }
  const ranked = found
    .map(({ passage, text }, i) => ({ passage, text, likeness: dot(asked, vectors[i] as Float32Array) }))
    .sort((a, b) => b.likeness - a.likeness)
  const least = Math.max(embedder.near ?? 0, close * (ranked[0]?.likeness ?? 0))
  return ranked
    .slice(0, most)
    .filter(({ likeness }) => likeness >= least && likeness > 0)
    .map(({ passage, text }) => ({ passage, text }))
}
