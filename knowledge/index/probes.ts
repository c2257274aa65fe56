import { contentWords } from './terms.ts'

/** A query made from a passage that it should find. */
export interface Probe {
  readonly query: string
  readonly hash: string
  /**
   * Present: the query is the passage's own heading, and this is the passage without it. Both legs must then find the
   * passage as if it had no title, as when a question uses other words than the answer.
   */
  readonly untitled?: string
}

/**
 * Makes queries from a passage: its heading, which must find the text under it (headings are short questions in other
 * words than the text), and some words of one sentence or of all of it. Words are left out at random, as people leave
 * them out, so that no query is a quotation. The passage's hash is the seed: the same corpus gives the same queries.
 */
export function probes(passage: { readonly title: string; readonly text: string; readonly hash: string }): Probe[] {
  const { hash, text } = passage
  const random = seeded(hash)
  const words = [...new Set(contentWords(text))]
  if (words.length < 3) return []
  const [, ...headings] = passage.title.split(' - ')
  const heading = headings.join(' ')
  const underHeading = contentWords(heading).length > 0 ? [{ query: heading, hash, untitled: text }] : []
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).filter((one) => contentWords(one).length >= 3)
  const sentence = random() < 0.5 ? sentences[Math.floor(random() * sentences.length)] : undefined
  const kept = sentence
    ? pick([...new Set(contentWords(sentence))], 0.5, random)
    : pick(words, 3 / words.length, random)
  return [...underHeading, { query: kept, hash }]
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
