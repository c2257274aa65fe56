import { shuffled } from './hash.ts'

/** Standard normal quantile of a two-sided 90 % interval. */
const z90 = 1.6449

/**
 * Wilson score interval for a share, 90 % two-sided (E. B. Wilson, 1927). Unlike the plain interval it behaves with
 * few observations and near 0 and 1.
 *
 * @example wilson(9, 12) // [0.51, 0.90]: 9 of 12 is just enough to say "better than a coin"
 */
export function wilson(hits: number, n: number): readonly [number, number] {
  if (n === 0) return [0, 1]
  const p = hits / n
  const z2 = z90 ** 2
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n)
  const half = (z90 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}

/** Arithmetic mean; NaN of nothing, so that a check on nothing never passes. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Share of items that hold; NaN of nothing. */
export function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return mean(items.map((item) => (holds(item) ? 1 : 0)))
}

/** 90 % interval of a mean by the normal approximation. */
export function meanInterval(values: readonly number[]): readonly [number, number] {
  const middle = mean(values)
  const spread = Math.sqrt(mean(values.map((value) => (value - middle) ** 2)) / Math.max(1, values.length - 1))
  return [middle - z90 * spread, middle + z90 * spread]
}

/**
 * How far a share may fall: the tolerance, but never less than one item of few, for one answer of twelve is 8 points
 * and says nothing.
 */
export function slack(tolerance: number, n: number): number {
  return n === 0 ? tolerance : Math.max(tolerance, 1 / n)
}

/**
 * A win rate without what padding won: a line is fitted through the wins over how much longer than asked for each answer
 * is, and read off at no padding, as the length-controlled AlpacaEval does with a logistic curve (arXiv 2404.04475). The
 * slope is held back by a ridge of one observation, so that a few answers, or all equally padded ones, move nothing.
 *
 * @param wins 1, ½ or 0 a question
 * @param padding logarithm of the surplus length of each answer, 0 for none
 */
export function withoutPadding(wins: readonly number[], padding: readonly number[]): number {
  const deviation = Math.sqrt(mean(padding.map((value) => value ** 2)))
  if (!(deviation > 0)) return mean(wins)
  const x = padding.map((value) => Math.tanh(value / deviation))
  const [middle, won] = [mean(x), mean(wins)]
  const spread = x.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  const shared = x.reduce((sum, value, i) => sum + (value - middle) * ((wins[i] ?? won) - won), 0)
  return Math.min(1, Math.max(0, won - (shared / (spread + 1)) * middle))
}

/**
 * How likely it is, if all people wanted the same, that their shares differ as much as these do: a permutation test on
 * the spread between people, the same for the same numbers. Small means that some vote against the others.
 *
 * @param groups what was found for each person, a number from 0 to 1 a row
 * @example oneMind([[1, 1, 1, 1, 1, 1], [0, 0, 0]]) // 0.01
 */
export function oneMind(groups: readonly (readonly number[])[]): number {
  const all = groups.flat()
  const between = (values: readonly number[]) => {
    let at = 0
    return groups.reduce((sum, { length }) => {
      const part = values.slice(at, at + length).reduce((total, value) => total + value, 0)
      at += length
      return sum + part ** 2 / length
    }, 0)
  }
  const found = between(all)
  const rounds = 2000
  let asFar = 0
  for (let round = 1; round <= rounds; round++) if (between(shuffled(all, round)) >= found - 1e-9) asFar += 1
  return (asFar + 1) / (rounds + 1)
}

/**
 * Sign test: the chance of so many wins or more if each side won as often as the other. Ties say nothing.
 *
 * @example signTest(9, 1) // 0.011
 */
export function signTest(wins: number, losses: number): number {
  const n = wins + losses
  let sum = 0
  let term = 0.5 ** n
  for (let hits = n; hits >= wins; hits--) {
    sum += term
    term *= hits / (n - hits + 1)
  }
  return Math.min(1, sum)
}
