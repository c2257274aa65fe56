import type { Canary, Tally } from '../../src/ports/live.ts'
import { percent } from './log.ts'

/**
 * How a canary stands, in a line for people.
 *
 * @example summaryOf(canary) // '20 % of threads since 2026-05-01 10:00; liked by 9 of 12 people, v1 by 30 of 48; …'
 */
export function summaryOf(canary: Omit<Canary, 'summary'>): string {
  const { incumbent, share, startedAt, thumbs, duels, evidence } = canary
  const of = ({ up, down }: Tally) => `${up} of ${up + down}`
  const since = startedAt.toISOString().slice(0, 16).replace('T', ' ')
  const value = (e: number) => (e < 100 ? Number(e.toPrecision(2)).toString() : 'over 100')
  return [
    `${percent(share)} % of threads since ${since}`,
    `liked by ${of(thumbs.canary)} people, ${incumbent} by ${of(thumbs.incumbent)}`,
    `preferred in duels by ${of(duels)}`,
    `evidence ${value(evidence.better)} that it is better, ${value(evidence.worse)} that it is worse; ${evidence.decides} decides`,
  ].join('; ')
}
