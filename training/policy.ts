import type { Pair, Unpaired } from './pairs.ts'
import { secretIn } from './secrets.ts'

/** What may be trained on (the operator's word) and how much of a run one person may decide. */
export interface Policy {
  /** Channels whose feedback may be trained on; everything else is left out. */
  readonly trainOn: readonly string[]
  /** One tenant's feedback alone. Absent: this installation's own, and one workspace's at most: {@link ownTenants}. */
  readonly tenant?: string
  /** A person decides at most this many rows, or {@link perPersonShare} of the run if that is more. */
  readonly perPersonRows: number
  readonly perPersonShare: number
  /** With fewer people than this the cap is off: a machine of one's own could never train otherwise. */
  readonly capFromPeople: number
  /** Rows from one prompt at most, so that a much-retried question doesn't outweigh all others. */
  readonly perPrompt: number
}

/**
 * Caps: 20 rows or 10 % of the run a person, whichever is more, from three people up; 6 pairs a prompt.
 * A few per cent of planted preferences are known to steer a model (research on poisoned preference data).
 */
export const defaultPolicy: Policy = {
  trainOn: ['web', 'terminal', 'import'],
  perPersonRows: 20,
  perPersonShare: 0.1,
  capFromPeople: 3,
  perPrompt: 6,
}

/** Tenants that belong to the operator: the page, the terminal, imported files. */
export const ownTenants: readonly string[] = ['web', 'terminal', 'import']

/** Rows that may be used, how many may not and why, and what an operator should know about it. */
export interface Allowed<Row> {
  readonly kept: readonly Row[]
  readonly leftOut: Readonly<Record<string, number>>
  readonly notes: readonly string[]
}

type Row = Pair | Unpaired

/**
 * Applies the policy, in this order: channel, tenant, secrets, duplicates, conflicts, rows of one prompt, rows of one
 * person. Newer feedback is kept before older. Pure: the same rows give the same answer.
 *
 * @example applyPolicy(pairs, { ...defaultPolicy, trainOn: ['web'] }).leftOut // { 'channel not allowed': 12 }
 */
export function applyPolicy<R extends Row>(rows: readonly R[], policy: Policy): Allowed<R> {
  const leftOut: Record<string, number> = {}
  const drop = (why: string): false => {
    leftOut[why] = (leftOut[why] ?? 0) + 1
    return false
  }
  const opposed = opposites(rows)
  const guests = guestsOf(rows, policy)
  const seen = new Set<string>()
  const permitted = newestFirst(rows).filter((row) => {
    if (!policy.trainOn.includes(row.channel)) return drop('channel not allowed')
    if (policy.tenant !== undefined && row.tenant !== policy.tenant) return drop('other tenant')
    if (guests.size > 1 && guests.has(row.tenant)) return drop('several tenants')
    if (textsOf(row).some((text) => secretIn(text) !== undefined)) return drop('secret')
    if (opposed.has(contentKey(row))) return drop('contradicted')
    if (seen.has(contentKey(row))) return drop('duplicate')
    seen.add(contentKey(row))
    return true
  })
  const fromPrompt = counter()
  const fewer = permitted.filter(
    (row) => fromPrompt(row.promptHash) <= policy.perPrompt || drop('too many of a prompt'),
  )
  const { kept, note } = capPeople(fewer, policy, drop)
  return { kept: kept.toReversed(), leftOut, notes: note ? [note] : [] }
}

/**
 * A row counts for everybody who decided it, and goes only when all of them are over their share. What the operator
 * imported is the operator's own choice and isn't capped.
 */
function capPeople<R extends Row>(
  rows: readonly R[],
  policy: Policy,
  drop: (why: string) => false,
): { readonly kept: readonly R[]; readonly note?: string } {
  const people = new Set(rows.filter(isChat).flatMap((row) => row.people))
  if (people.size < policy.capFromPeople) {
    return { kept: rows, note: `The cap per person is off: fewer than ${policy.capFromPeople} people gave feedback.` }
  }
  const cap = Math.max(policy.perPersonRows, Math.floor(rows.length * policy.perPersonShare))
  const used = new Map<string, number>()
  const kept = rows.filter((row) => {
    const free = !isChat(row) || row.people.length === 0 || row.people.some((person) => (used.get(person) ?? 0) < cap)
    if (!free) return drop('cap per person')
    for (const person of row.people) used.set(person, (used.get(person) ?? 0) + 1)
    return true
  })
  return { kept }
}

function isChat({ channel }: Row): boolean {
  return channel !== 'import'
}

/**
 * Workspaces and guilds with usable rows. One LoRA serves everybody, so it may not learn from several of them: what
 * one said would show in the answers to another. Then the operator has to name one.
 */
function guestsOf(rows: readonly Row[], { trainOn, tenant }: Policy): ReadonlySet<string> {
  if (tenant !== undefined) return new Set()
  const usable = rows.filter((row) => trainOn.includes(row.channel) && !ownTenants.includes(row.tenant))
  return new Set(usable.map((row) => row.tenant))
}

function newestFirst<R extends Row>(rows: readonly R[]): readonly R[] {
  return rows.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? -1 : 1))
}

/** Keys of rows for which the opposite is on record too: people disagree, so nothing is learned from either. */
function opposites(rows: readonly Row[]): ReadonlySet<string> {
  const keys = new Set(rows.map(contentKey))
  return new Set(rows.filter((row) => keys.has(oppositeKey(row))).map(contentKey))
}

function contentKey(row: Row): string {
  return 'chosen' in row
    ? JSON.stringify([row.promptHash, row.chosen, row.rejected])
    : JSON.stringify([row.promptHash, row.text, row.liked])
}

function oppositeKey(row: Row): string {
  return 'chosen' in row
    ? JSON.stringify([row.promptHash, row.rejected, row.chosen])
    : JSON.stringify([row.promptHash, row.text, !row.liked])
}

function textsOf(row: Row): readonly string[] {
  const replies = 'chosen' in row ? [row.chosen, row.rejected] : [row.text]
  return [...replies, ...row.prompt.map(({ content }) => content)]
}

function counter(): (key: string) => number {
  const counts = new Map<string, number>()
  return function count(key) {
    const next = (counts.get(key) ?? 0) + 1
    counts.set(key, next)
    return next
  }
}
