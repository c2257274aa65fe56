import { diff } from 'node:util'

/** A stretch of words of one text, and whether the other text has it too. */
export interface Stretch {
  readonly text: string
  readonly same: boolean
}

/** Longer texts are shown without marks: comparing takes time with the square of their differences. */
const longest = 3000

/**
 * Two texts as stretches of words that both have, and words that one has alone.
 *
 * @example compareWords('20 days', '25 days')[1] // [{ text: '25 ', same: false }, { text: 'days', same: true }]
 */
export function compareWords(old: string, fresh: string): readonly [readonly Stretch[], readonly Stretch[]] {
  const [a, b] = [wordsOf(old), wordsOf(fresh)]
  if (a.length + b.length > longest) return [[{ text: old, same: true }], [{ text: fresh, same: true }]]
  const stretches: [Stretch[], Stretch[]] = [[], []]
  const take = (side: 0 | 1, same: boolean) => {
    const text = (side === 0 ? a : b).shift() ?? ''
    const last = stretches[side].at(-1)
    if (last?.same === same) stretches[side].splice(-1, 1, { text: last.text + text, same })
    else stretches[side].push({ text, same })
  }
  const plain = (words: readonly string[]) => words.map((word) => word.trim())
  for (const [kind] of diff(plain(a), plain(b))) {
    // Node says -1 for what only the second has.
    if (kind >= 0) take(0, kind === 0)
    if (kind <= 0) take(1, kind === 0)
  }
  return stretches
}

/** Words with the white space behind them. */
function wordsOf(text: string): string[] {
  return text.trim().match(/\S+\s*/g) ?? []
}
