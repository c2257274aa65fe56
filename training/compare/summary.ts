import type { Figure, Measurement } from '../../src/ports/compare.ts'
import { atLeast, percent } from '../checks/check.ts'
import { mean, share, slack, wilson } from '../stats.ts'
import type { RowResult } from './result.ts'

/** Fresh answers of one row against those of another, question by question. */
export interface Duels {
  readonly wins: number
  readonly losses: number
  readonly n: number
}

/** Less is no difference: distances are shares of words. */
const smallest = 1e-9
/** How much more perplex plain text may be: the gate's limit. */
const perplexityLimit = 1.15

/** @example duels(row, base).wins */
export function duels(row: RowResult, against: RowResult): Duels {
  const gains = row.leans.map((lean, i) => lean - (against.leans[i] ?? Number.NaN))
  const count = (holds: (gain: number) => boolean) => gains.filter(holds).length
  return { wins: count((gain) => gain > smallest), losses: count((gain) => gain < -smallest), n: gains.length }
}

/** The figures of a row beside the base's. `trained`: its weights are not the base's. */
export function summary(row: RowResult, base: RowResult, trained: boolean): Measurement {
  const { wins, losses, n } = duels(row, base)
  const half = wins + (n - wins - losses) / 2
  const nearer = { value: n === 0 ? Number.NaN : half / n, n }
  const { tokens, trainSeconds, measureSeconds, memoryMb, prefers, perplexity } = row
  return {
    nearer: row.row === base.row ? nearer : { ...nearer, interval: wilson(half, n) },
    ...(prefers.length > 0 ? { prefers: shareOf(prefers) } : {}),
    values: shareOf(row.values.map(Number)),
    right: shareOf(row.right.map(Number)),
    declines: shareOf(row.declines.map(Number)),
    ...(Number.isFinite(perplexity) ? { perplexity: { value: perplexity, n: 1 } } : {}),
    tokens,
    trainSeconds,
    measureSeconds,
    ...(memoryMb === undefined ? {} : { memoryMb }),
    fails: row.row === base.row ? [] : failsOf(row, base, trained),
  }
}

function shareOf(values: readonly number[]): Figure {
  const sum = values.reduce((total, value) => total + value, 0)
  return { value: mean(values), n: values.length, interval: wilson(sum, values.length) }
}

/** What may not get worse, whatever else got better. Weights that can't be measured are not known to be whole. */
function failsOf(row: RowResult, base: RowResult, trained: boolean): readonly string[] {
  const fewer = (what: string, key: 'values' | 'right' | 'declines'): readonly string[] => {
    const before = share(base[key], Boolean)
    const now = share(row[key], Boolean)
    const limit = atLeast(before, slack(0.05, base[key].length))
    return base[key].length === 0 || now >= limit - smallest
      ? []
      : [`${what} ${percent(now)}, with the base ${percent(before)}`]
  }
  // Any LoRA that is live moves the last digits of plain text.
  const unchanged = trained && row.perplexity === base.perplexity
  const ratio = row.perplexity / base.perplexity
  const perplex = !trained || ratio <= perplexityLimit ? [] : [perplexText(ratio)]
  return [
    ...(unchanged
      ? ['its weights are the base’s: too few steps changed nothing, or the engine did not load them']
      : []),
    ...fewer('fresh answers with the right values:', 'values'),
    ...fewer('golden questions answered right:', 'right'),
    ...fewer('unanswerable questions declined:', 'declines'),
    ...perplex,
  ]
}

function perplexText(ratio: number): string {
  return Number.isFinite(ratio)
    ? `perplexity of other text ${ratio.toFixed(2)} times the base's`
    : "perplexity of other text can't be measured on this engine"
}
