import type { Source } from '../ports/channel.ts'
import type { ReplayChange, ReplayedTurn, ReplaySide, ReplaySummary } from '../ports/replay.ts'
import { cited } from '../prompt/compile.ts'

/** Words as people count them. @example wordsIn('25 days [1].') // 3 */
export function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** What is otherwise in the new reply. White space, and the numbers that sources have, are no difference. */
export function changesBetween(old: ReplaySide, fresh: ReplaySide): readonly ReplayChange[] {
  const plain = ({ text }: ReplaySide) =>
    text
      .replace(/\s*\[\d+\]/g, '')
      .replace(/\s+/g, ' ')
      .trim()
  const sources = ({ cites }: ReplaySide) => JSON.stringify([...new Set(cites)].sort())
  const differs: readonly (readonly [ReplayChange, boolean])[] = [
    ['words', plain(old) !== plain(fresh)],
    ['sources', sources(old) !== sources(fresh)],
    ['refusal', old.declines !== fresh.declines],
  ]
  return differs.flatMap(([change, is]) => (is ? [change] : []))
}

/** Counts what came of the messages so far. */
export function summaryOf(turns: readonly ReplayedTurn[]): ReplaySummary {
  const judged = (is: (said: ReplayedTurn['said']) => boolean): [number, number] => {
    const those = turns.filter(({ fresh, said }) => fresh && is(said))
    return [those.length, those.filter(({ changes }) => changes.length > 0).length]
  }
  const both = turns.flatMap(({ old, fresh }) => (fresh ? [[old, fresh] as const] : []))
  const sums = (of: (side: ReplaySide) => number): [number, number] => [
    both.reduce((sum, [old]) => sum + of(old), 0),
    both.reduce((sum, [, fresh]) => sum + of(fresh), 0),
  ]
  return {
    answered: both.length,
    unanswered: turns.length - both.length,
    changed: turns.filter(({ changes }) => changes.length > 0).length,
    words: sums(({ words }) => words),
    cites: sums(({ cites }) => (cites.length > 0 ? 1 : 0)),
    declines: sums(({ declines }) => (declines ? 1 : 0)),
    liked: judged((said) => !isDisliked(said) && said.up > 0),
    disliked: judged(isDisliked),
    seconds: sums(({ seconds }) => seconds)[1] / Math.max(1, both.length),
  }
}

/** Corrected, or with more thumbs down than up. */
function isDisliked({ up, down, corrections }: ReplayedTurn['said']): boolean {
  return corrections.length > 0 || down > up
}

/**
 * A reply with its citations pointing into another list of sources; those that the list has not are left out.
 *
 * @example recite('20 days [3].', then, now) // '20 days [1].'
 */
export function recite(text: string, then: readonly Source[], now: readonly Source[]): string {
  return text.replace(/\s*\[(\d+)\]/g, (all, digits: string) => {
    const meant = then.find(({ number }) => number === Number(digits))
    if (!meant) return all
    const found = now.find((one) => sameSource(one, meant))
    return found ? all.replace(digits, String(found.number)) : ''
  })
}

/** One passage under two numbers. */
export function sameSource(a: Omit<Source, 'number'>, b: Omit<Source, 'number'>): boolean {
  return a.document === b.document && a.text === b.text
}

/** Titles of the sources that a text cites. */
export function titlesIn(text: string, sources: readonly Source[]): readonly string[] {
  return cited(text, sources).map(({ title }) => title)
}
