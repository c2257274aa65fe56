import { contentWords } from './terms.ts'

/** A query made from a passage that it should find. */
export interface Probe {
  readonly query: string
  readonly hash: string
}

/**
 * Makes one query from a passage, by turns of three kinds: some words of one sentence, the heading with a word of the
 * text, or a few words from anywhere in it. Words are left out at random, as people leave them out, so that no query
 * is a quotation. The passage's hash is the seed: the same corpus always gives the same queries.
 */
export function probe(passage: { readonly title: string; readonly text: string; readonly hash: string }): Probe[] {
  const random = seeded(passage.hash)
  const words = [...new Set(contentWords(passage.text))]
  if (words.length < 3) return []
  const sentences = passage.text.split(/(?<=[.!?])\s+|\n+/).filter((one) => contentWords(one).length >= 3)
  const kind = Math.floor(random() * 3)
  const heading = contentWords(passage.title.split(' - ').at(-1) ?? '')
  const one = sentences[Math.floor(random() * sentences.length)]
  if (kind === 0 && one) return [{ query: pick([...new Set(contentWords(one))], 0.5, random), hash: passage.hash }]
  if (kind === 1 && heading.length > 0) {
    return [{ query: `${pick(heading, 0.7, random)} ${pick(words, 1 / words.length, random)}`, hash: passage.hash }]
  }
  return [{ query: pick(words, 3 / words.length, random), hash: passage.hash }]
}

/** Keeps each word with a chance, and two of them at least. */
function pick(words: readonly string[], chance: number, random: () => number): string {
  const kept = words.filter(() => random() < chance)
  return (kept.length >= 2 ? kept : words.slice(0, 2)).join(' ')
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function seeded(hash: string): () => number {
  let state = Number.parseInt(hash.slice(0, 8), 16) | 0
  return function next() {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
