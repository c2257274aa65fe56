import { guestOf } from '../src/id.ts'
import { type Caps, capPeople } from './caps.ts'
import type { Pair, Unpaired } from './pairs.ts'
import { equal, type Standing } from './raters.ts'
import { secretIn } from './secrets.ts'
import { contradicted, repeated } from './twins.ts'

/** What may be trained on (the operator's word) and how much of a run one person may decide. */
export interface Policy extends Caps {
  /** Channels whose feedback may be trained on; everything else is left out. */
  readonly trainOn: readonly string[]
  /** One tenant's feedback alone. Absent: this installation's own, and one workspace's at most. */
  readonly tenant?: string
  /** The feedback of all tenants together: what one says may show in the answers to another, and the operator wants it so. */
  readonly pooled?: boolean
  /** Rows from one prompt at most, so that a much-retried question doesn't outweigh all others. */
  readonly perPrompt: number
}

/**
 * Caps: 20 rows or 10 % of the run a person (0.25 % of a large one), whichever is more, from three people up; 6 pairs a
 * prompt. A few per cent of planted preferences are known to steer a model (research on poisoned preference data).
 */
export const defaultPolicy: Policy = {
  trainOn: ['web', 'terminal', 'import'],
  perPersonRows: 20,
  perPersonShare: 0.1,
  largeRun: 8000,
  perPersonShareOfLarge: 0.0025,
  capFromPeople: 3,
  perPrompt: 6,
}

/** Rows that may be used, how many may not and why, and what an operator should know about it. */
export interface Allowed<Row> {
  readonly kept: readonly Row[]
  readonly leftOut: Readonly<Record<string, number>>
  readonly notes: readonly string[]
}

type Row = Pair | Unpaired

/**
 * Applies the policy, in this order: channel, tenant, secrets, contradictions, duplicates, rows of one prompt, rows of
 * one person. Newer feedback is kept before older. Pure: the same rows give the same answer.
 *
 * @example applyPolicy(pairs, { ...defaultPolicy, trainOn: ['web'] }).leftOut // { 'channel not allowed': 12 }
 */
export function applyPolicy<R extends Row>(rows: readonly R[], policy: Policy, standing: Standing = equal): Allowed<R> {
  const leftOut: Record<string, number> = {}
  const drop = (why: string): false => {
    leftOut[why] = (leftOut[why] ?? 0) + 1
    return false
  }
  const guests = guestsOf(rows, policy)
  const permitted = newestFirst(rows).filter((row) => {
    if (!policy.trainOn.includes(row.channel)) return drop('channel not allowed')
    if (policy.tenant !== undefined && row.tenant !== policy.tenant) return drop('other tenant')
    if (guests.size > 1 && guests.has(row.tenant)) return drop('several tenants')
    return !textsOf(row).some((text) => secretIn(text) !== undefined) || drop('secret')
  })
  const opposed = contradicted(permitted)
  const clear = permitted.filter((row) => !opposed.has(row) || drop('contradicted'))
  const again = repeated(clear)
  const unique = clear.filter((row) => !again.has(row) || drop('duplicate'))
  const fromPrompt = counter()
  const fewer = unique.filter((row) => fromPrompt(row.promptHash) <= policy.perPrompt || drop('too many of a prompt'))
  const { kept, note } = capPeople(fewer, policy, standing)
  for (let over = fewer.length - kept.length; over > 0; over--) drop('cap per person')
  return { kept: kept.toReversed(), leftOut, notes: note ? [note] : [] }
}

/**
 * Workspaces and guilds with usable rows. Where one LoRA serves everybody, it may not learn from several of them unless
 * they are pooled: what one said would show in the answers to another.
 */
function guestsOf(rows: readonly Row[], { trainOn, tenant, pooled }: Policy): ReadonlySet<string> {
  if (tenant !== undefined || pooled) return new Set()
  const usable = rows.filter(({ channel }) => trainOn.includes(channel))
  return new Set(usable.map((row) => guestOf(row.tenant)).filter(Boolean))
}

function newestFirst<R extends Row>(rows: readonly R[]): readonly R[] {
  return rows.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? -1 : 1))
}

function textsOf(row: Row): readonly string[] {
  const replies = 'chosen' in row ? [row.chosen, row.rejected] : [row.text]
  return [...replies, row.explained?.completion ?? '', ...row.prompt.map(({ content }) => content)]
}

function counter(): (key: string) => number {
  const counts = new Map<string, number>()
  return function count(key) {
    const next = (counts.get(key) ?? 0) + 1
    counts.set(key, next)
    return next
  }
}
