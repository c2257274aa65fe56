import type { Store } from '../../src/ports/store.ts'

/** One entry of the log of what served. */
export type Served = Awaited<ReturnType<Store['serving']['log']>>[number]

/** A canary as the serving log has it. */
export interface Running {
  readonly version: string
  readonly incumbent: string
  readonly share: number
  readonly startedAt: Date
  readonly held: boolean
}

/**
 * What the serving log says of canaries. While one is on, the incumbent is what serves; so each row names the version
 * that serves and says of the canary what happened. There is no other record: the newest rows say whether one is on.
 */
export const whys = {
  begun: (version: string, share: number, why: string) =>
    `canary ${version} begins with ${percent(share)} % of threads: ${why}`,
  held: (version: string, why: string) => `canary ${version} is held: ${why}`,
  promoted: (version: string, why: string) => `canary ${version} is promoted: ${why}`,
  rolledBack: (version: string, why: string) => `canary ${version} is rolled back: ${why}`,
}

const begun = /^canary (v\d+) begins with ([\d.]+) % of threads/
const held = /^canary (v\d+) is held/
const ended = /^canary (v\d+) is (promoted|rolled back)/

export const learnedFromForgotten = 'it learned from feedback that was deleted since'

/** Rows looked through; a canary has few. */
export const rows = 1000

/**
 * The canary that is on.
 *
 * @param log newest first
 * @example canaryOf(await store.serving.log(rows))
 */
export function canaryOf(log: readonly Served[]): Running | undefined {
  const [newest, ...before] = log
  if (!newest) return undefined
  const start = begun.exec(newest.why)
  if (start) {
    const [, version = '', percents] = start
    const { version: incumbent, at: startedAt } = newest
    return { version, incumbent, share: Number(percents) / 100, startedAt, held: false }
  }
  const on = held.test(newest.why) ? canaryOf(before) : undefined
  return on && { ...on, held: true }
}

/** How the last canary of a version ended, in the words of the log; undefined when it is on, or there was none. */
export function endOf(version: string, log: readonly Served[]): string | undefined {
  const last = log.findIndex(({ why }) => (begun.exec(why) ?? held.exec(why))?.[1] === version)
  const end = log[last - 1]
  if (!end) return undefined
  return ended.exec(end.why)?.[1] === version ? sentence(end.why) : superseded(version, end)
}

/** A canary that gave way to something else that was put into service, or to a newer canary. */
function superseded(version: string, { why, version: serves }: Served): string {
  const next = begun.exec(why)?.[1]
  return sentence(`canary ${version} is over: ${next ? `${next} is the canary now` : `${serves} was put into service`}`)
}

/** Versions whose last canary was taken back: people, or its engine, spoke against them. */
export function takenBack(log: readonly Served[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { why } of log.toReversed()) {
    const [, version, how] = ended.exec(why) ?? []
    if (version) how === 'promoted' ? found.delete(version) : found.add(version)
  }
  return found
}

/** @example sentence('canary v2 is held: …') // 'Canary v2 is held: ….' */
export function sentence(why: string): string {
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}${why.endsWith('.') ? '' : '.'}`
}

/** @example percent(0.125) // 12.5 */
export function percent(share: number): number {
  return Number((share * 100).toFixed(2))
}
