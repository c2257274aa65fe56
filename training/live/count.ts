import type { Tally } from '../../src/ports/live.ts'
import type { Said } from '../../src/ports/trials.ts'
import { sha256 } from '../hash.ts'
import type { Verdicts } from './evidence.ts'

/** The two versions of a comparison, and the share of threads that the canary answers. */
export interface Arms {
  readonly version: string
  readonly incumbent: string
  readonly share: number
}

/** Whether the canary answers a thread: a hash of the two, so it is the same whenever and by whomever it is asked. */
export function inShare(thread: string, { version, share }: Pick<Arms, 'version' | 'share'>): boolean {
  return Number.parseInt(sha256(version, thread).slice(0, 8), 16) / 2 ** 32 < share
}

/**
 * Counts people, not clicks: a person counts once for each version, by what most of their standing thumbs on its replies
 * say, and once for the duels, by which version won most of theirs; as many for as against is nothing. Replies of the
 * version that does not answer their thread (where one stood in for the other) are left out.
 */
export function count({ thumbs, duels }: Said, arms: Arms): Verdicts {
  const of = (version: string) => {
    const own = thumbs.filter(
      (thumb) => thumb.version === version && inShare(thumb.thread, arms) === (version === arms.version),
    )
    return tally(own.map(({ person, verdict }) => ({ person, up: verdict === 'up' })))
  }
  return {
    canary: of(arms.version),
    incumbent: of(arms.incumbent),
    duels: tally(duels.map(({ person, winner }) => ({ person, up: winner === arms.version }))),
  }
}

function tally(said: readonly { readonly person: string; readonly up: boolean }[]): Tally {
  const balance = new Map<string, number>()
  for (const { person, up } of said) balance.set(person, (balance.get(person) ?? 0) + (up ? 1 : -1))
  const of = (sign: number) => [...balance.values()].filter((value) => Math.sign(value) === sign).length
  return { up: of(1), down: of(-1) }
}

/** How many verdicts were counted. */
export function verdictsIn({ canary, incumbent, duels }: Verdicts): number {
  return [canary, incumbent, duels].reduce((sum, { up, down }) => sum + up + down, 0)
}
