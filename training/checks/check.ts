import type { GateCheck } from '../../src/ports/learning.ts'
import type { Material, Measured } from '../measure.ts'
import { mean, wilson } from '../stats.ts'

/** What every check looks at: one material, measured on the base, on what serves now, and on the candidate. */
export interface Evidence {
  readonly material: Material
  readonly base: Measured
  readonly incumbent: Measured
  readonly candidate: Measured
  /** What the judge engine said of each fresh answer against the serving version's: 1 better, 0 worse, ½ neither. */
  readonly judged?: readonly number[]
}

/** A check is pure: numbers in, one verdict out. NaN never passes, because every limit is a comparison. */
export type Check = (evidence: Evidence) => GateCheck

/** A check's name, and what it measures. */
export type Named = Pick<GateCheck, 'id' | 'what'>

/**
 * A check that a share is at least so much, with its Wilson interval. Items are true, false, or a number from 0 to 1.
 *
 * @param none why there are no items, where that is no fault
 */
export function shareCheck(
  named: Named,
  items: readonly (boolean | number)[],
  least: number,
  none = 'nothing to compare',
): GateCheck {
  const n = items.length
  if (n === 0) return { ...named, value: 1, limit: none, pass: true, n }
  const value = mean(items.map(Number))
  const limit = `≥ ${percent(least)}`
  return { ...named, value: round(value), limit, pass: value >= least - 1e-9, n, interval: wilson(value * n, n) }
}

/** How far a share may fall below another, in the limit's words too; no share is below 0. */
export function atLeast(share: number, tolerance: number): number {
  return Math.max(0, share - tolerance)
}

/** Per cent with one decimal, for limits in words. */
export function percent(value: number): string {
  return `${Math.round(value * 1000) / 10} %`
}

/** Three decimals: enough to compare, short enough to read. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
