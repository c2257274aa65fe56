import type { Advice } from '../../src/ports/compare.ts'
import { percent } from '../checks/check.ts'
import { minEvidence } from '../gate.ts'
import { signTest } from '../stats.ts'
import type { RowResult } from './result.ts'
import { duels, summary } from './summary.ts'
import type { Technique } from './techniques.ts'

/** A row with its result. */
export interface Contender {
  readonly technique: Technique
  readonly result: RowResult
}

/** Chance of recommending something where nothing is better, over all rows together. */
const risk = 0.05

interface Rated extends Contender {
  readonly nearer: number
  readonly interval: readonly [number, number]
  readonly fails: readonly string[]
  readonly beats: boolean
}

/**
 * The recommendation in words. Of the techniques whose fresh answers come nearer to what people chose than the base's, for
 * sure and with nothing else lost, it is the cheapest that the best one doesn't beat. For sure: by a sign test over the
 * held-out questions, divided by the number of rows, for among many rows one is lucky.
 *
 * @example recommend(base, [{ technique: dpo, result }]).text
 */
export function recommend(base: RowResult, others: readonly Contender[]): Advice {
  const n = base.leans.length
  if (n < minEvidence) {
    return { text: `Not enough held-out data to tell: ${n} held-out prompts, ${minEvidence} are needed. ${judgeMore}` }
  }
  const rated = others.map((one) => rate(one, base, others.length)).toSorted((a, b) => b.nearer - a.nearer)
  const sound = rated.filter(({ fails }) => fails.length === 0)
  const [best, ...rest] = sound.filter(({ beats }) => beats)
  const ruined = rated.filter(({ beats, fails }) => beats && fails.length > 0).map(ruinedText)
  if (!best) return { text: [nothingBetter(sound[0], n), ...ruined].join(' ') }
  const ties = rest.filter((one) => !surely(best.result, one.result, 1))
  const pick = [best, ...ties].toSorted(byCost)[0] ?? best
  const tie = pick === best ? [] : [tieText(pick, best, n)]
  return { row: pick.technique.id, text: [adviceText(pick, n), ...tie, ...ruined, pick.technique.how].join(' ') }
}

function rate(one: Contender, base: RowResult, rows: number): Rated {
  const { nearer, fails } = summary(one.result, base, one.technique.method !== undefined)
  const interval = nearer.interval ?? [0, 1]
  return { ...one, nearer: nearer.value, interval, fails, beats: surely(one.result, base, rows) }
}

function surely(row: RowResult, against: RowResult, rows: number): boolean {
  const { wins, losses } = duels(row, against)
  return signTest(wins, losses) * rows < risk
}

/** What is trained costs more than what isn't; then time of training, then tokens a question. */
function byCost(a: Contender, b: Contender): number {
  return a.result.trainSeconds - b.result.trainSeconds || a.result.tokens - b.result.tokens
}

const judgeMore = 'Judge more replies, in more threads, and compare again.'

function adviceText({ technique, nearer, interval, result }: Rated, n: number): string {
  const { right } = result
  const kept = `${right.filter(Boolean).length} of ${right.length} golden questions are answered right`
  return (
    `Use ${technique.label}: its fresh answers are nearer to what people chose than the base's on ${percent(nearer)} of ` +
    `${n} held-out prompts (90 % interval ${between(interval)}), and nothing else got worse than it may; ${kept}.`
  )
}

function tieText(pick: Rated, best: Rated, n: number): string {
  const cost =
    pick.result.trainSeconds < best.result.trainSeconds
      ? `${seconds(pick)} of training instead of ${seconds(best)}`
      : `${Math.round(pick.result.tokens)} tokens a question instead of ${Math.round(best.result.tokens)}`
  return `${best.technique.label} comes to ${percent(best.nearer)}, but ${n} prompts can't tell the two apart, and ${pick.technique.label} costs less: ${cost}.`
}

function nothingBetter(ahead: Rated | undefined, n: number): string {
  if (!ahead || ahead.nearer <= 0.5)
    return `Stay with the base: no technique came nearer to what people chose on ${n} held-out prompts.`
  const { technique, nearer, interval } = ahead
  return (
    `Not enough held-out data to tell: ${technique.label} is ahead with ${percent(nearer)} of ${n} prompts ` +
    `(90 % interval ${between(interval)}), which may be chance. ${judgeMore}`
  )
}

function ruinedText({ technique, nearer, fails }: Rated): string {
  return `${technique.label} came nearer on ${percent(nearer)} but lost elsewhere: ${fails.join('; ')}.`
}

function between([low, high]: readonly [number, number]): string {
  return `${percent(low)} to ${percent(high)}`
}

function seconds({ result }: Contender): string {
  return `${Math.round(result.trainSeconds)} s`
}
