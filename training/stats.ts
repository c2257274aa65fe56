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
