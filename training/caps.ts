import type { Pair, Unpaired } from './pairs.ts'
import type { Standing } from './raters.ts'

type Row = Pair | Unpaired

/** How much of a run one person may decide. */
export interface Caps {
  /** A person decides at most this many rows, or {@link perPersonShare} of the run if that is more. */
  readonly perPersonRows: number
  readonly perPersonShare: number
  /** From this many rows on a run is large, and the share is {@link perPersonShareOfLarge}. */
  readonly largeRun: number
  /** Set it to {@link perPersonShare} to let a few people decide a large run. */
  readonly perPersonShareOfLarge: number
  /** With fewer people than this the cap is off: a machine of one's own could never train otherwise. */
  readonly capFromPeople: number
}

/** Rows within everybody's share, and what an operator should know where there are no shares. */
export interface Capped<R> {
  readonly kept: readonly R[]
  readonly note?: string
}

/**
 * Keeps what any one person decides within their share of the run; rows that come first are kept first. A row counts
 * for everybody who decided it, and goes only when all of them are over their share. The share is one of the rows that
 * stay, so that a flood can't raise its own limit. Somebody new has less. What the operator imported is the operator's
 * own choice and isn't capped.
 */
export function capPeople<R extends Row>(rows: readonly R[], caps: Caps, standing: Standing): Capped<R> {
  const people = new Set(rows.filter(isChat).flatMap((row) => row.people))
  if (people.size < caps.capFromPeople) {
    return { kept: rows, note: `The cap per person is off: fewer than ${caps.capFromPeople} people gave feedback.` }
  }
  const share = rows.length >= caps.largeRun ? caps.perPersonShareOfLarge : caps.perPersonShare
  const fair = (count: number) => Math.max(caps.perPersonRows, Math.floor(count * share))
  let [cap, kept] = [fair(rows.length), rows]
  for (;;) {
    kept = within(rows, (person) => Math.max(1, Math.floor(cap * standing(person))))
    if (fair(kept.length) >= cap) return { kept }
    cap = fair(kept.length)
  }
}

function within<R extends Row>(rows: readonly R[], limit: (person: string) => number): readonly R[] {
  const used = new Map<string, number>()
  return rows.filter((row) => {
    const free = (person: string) => (used.get(person) ?? 0) < limit(person)
    if (isChat(row) && row.people.length > 0 && !row.people.some(free)) return false
    for (const person of row.people) used.set(person, (used.get(person) ?? 0) + 1)
    return true
  })
}

function isChat({ channel }: Row): boolean {
  return channel !== 'import'
}
