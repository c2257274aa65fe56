import type { GateCheck } from '../../src/ports/learning.ts'
import type { Material, Measured } from '../measure.ts'

/** What every check looks at: one material, measured on the base, on what serves now, and on the candidate. */
export interface Evidence {
  readonly material: Material
  readonly base: Measured
  readonly incumbent: Measured
  readonly candidate: Measured
}

/** A check is pure: numbers in, one verdict out. NaN never passes, because every limit is a comparison. */
export type Check = (evidence: Evidence) => GateCheck

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
