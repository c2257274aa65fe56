import type { Store } from '../src/ports/store.ts'
import type { Method } from '../src/ports/trainer.ts'
import { methodData, usableLone } from './methods.ts'
import { type Pair, pairsOf, type Unpaired, undecidedOf, unpairedOf } from './pairs.ts'
import { applyPolicy, type Policy } from './policy.ts'
import { type Judgement, judgementsOf, type Standing, standingOf } from './raters.ts'
import { redactRow } from './redact.ts'
import { type HeldOut, heldOutKeys, type Split, split } from './split.ts'
import { judgedOf, type Whose } from './tenants.ts'

/** Fewer usable rows than this are not worth training on; a better profile helps more. */
export const minRows = 30

/** The rows of a run, before anything is written. */
export interface Selection {
  readonly method: Method
  readonly train: readonly Pair[]
  readonly heldOut: readonly Pair[]
  /** Replies judged alone, outside held-out threads: for KTO and SFT. */
  readonly unpaired: readonly Unpaired[]
  readonly leftOut: Readonly<Record<string, number>>
  readonly notes: readonly string[]
  readonly splitBy: 'thread' | 'question'
  /** What later runs must hold out as well. */
  readonly heldOutKeys: HeldOut
  /** Absent when there is enough to train on; else how much is missing, and of what. */
  readonly refusal?: string
}

/** All that is on record, before any policy. */
export interface Collected {
  readonly pairs: readonly Pair[]
  readonly unpaired: readonly Unpaired[]
  readonly judgements: readonly Judgement[]
  readonly standing: Standing
  /** What people said that decides nothing, by why. */
  readonly undecided: Readonly<Record<string, number>>
  /** Rows from which personal data was taken out. */
  readonly redacted: ReadonlySet<string>
}

/**
 * Every pair and every lone judgement on record, with who asked and without personal data: whatever is written to a
 * dataset or an export comes from here. With `whose`, nothing of other tenants is even read.
 */
export async function collect(store: Store, whose?: Whose): Promise<Collected> {
  const judgements: Judgement[] = []
  for await (const judged of judgedOf(store, whose)) judgements.push(...judgementsOf(judged))
  const standing = standingOf(judgements)
  const pairs: Pair[] = []
  const unpaired: Unpaired[] = []
  const redacted = new Set<string>()
  let undecided: Record<string, number> = {}
  for await (const judged of judgedOf(store, whose)) {
    const parent = judged.replies[0]?.turn.parent
    const turn = parent ? await store.turns.get(parent) : undefined
    const asker = turn?.role === 'user' ? { asker: turn.person } : {}
    const ready = <R extends Pair | Unpaired>(row: R): R => {
      const clean = redactRow(row)
      if (clean !== row) redacted.add(row.id)
      return { ...clean, ...asker }
    }
    pairs.push(...pairsOf(judged, standing).map(ready))
    unpaired.push(...unpairedOf(judged, standing).map(ready))
    undecided = add(undecided, undecidedOf(judged, standing))
  }
  return { pairs, unpaired, judgements, standing, undecided, redacted }
}

/** Chooses the rows of a run from what was collected: apply the policy, split. Pure: the same rows give the same. */
export function selectFrom(
  all: Collected,
  policy: Policy,
  method: Method = 'dpo',
  before: HeldOut = new Set(),
): Selection {
  const pairs = applyPolicy(all.pairs, policy, all.standing)
  const lone = applyPolicy(all.unpaired, policy, all.standing)
  const sides = split(pairs.kept, before)
  const unpaired = lone.kept.filter(trainable(sides))
  const leftOut = [
    pairs.leftOut,
    all.undecided,
    { 'question is held out': sides.overlapping },
    unusedLone(method, all.unpaired, unpaired),
  ].reduce(add)
  const refusal = missing(method, { pairs: pairs.kept.length, lone: unpaired, leftOut })
  const cleaned = [...pairs.kept, ...unpaired].filter(({ id }) => all.redacted.has(id)).length
  return {
    method,
    train: sides.train,
    heldOut: sides.heldOut,
    unpaired,
    leftOut,
    notes: [
      ...pairs.notes,
      ...(sides.by === 'question' ? [fewThreads] : []),
      ...(sides.people.size > 0 ? [`Held out with all they judged: ${sides.people.size} people.`] : []),
      ...(cleaned > 0 ? [`Personal data was taken out of ${cleaned} rows.`] : []),
    ],
    splitBy: sides.by,
    heldOutKeys: heldOutKeys(sides, before, [...all.pairs, ...all.unpaired]),
    ...(refusal === undefined ? {} : { refusal }),
  }
}

/** True for lone judgements on nothing that is held out. */
function trainable(sides: Split<Pair>): (row: Unpaired) => boolean {
  const threads = new Set(sides.by === 'thread' ? sides.heldOut.map(({ thread }) => thread) : [])
  const prompts = new Set(sides.heldOut.map(({ promptHash }) => promptHash))
  return ({ thread, promptHash, people }) =>
    !prompts.has(promptHash) && !threads.has(thread) && !people.some((person) => sides.people.has(person))
}

const fewThreads = 'Few threads hold all the feedback, so questions were held out instead of whole threads.'

/** Lone thumbs that the method can't use, or that the policy doesn't leave. */
function unusedLone(method: Method, all: readonly Unpaired[], usable: readonly Unpaired[]): Record<string, number> {
  const count = all.length - usableLone(method, usable).length
  const why = methodData[method].lone === 'none' ? 'judged alone' : 'judged alone, not usable'
  return count > 0 ? { [why]: count } : {}
}

function missing(
  method: Method,
  rows: { readonly pairs: number; readonly lone: readonly Unpaired[]; readonly leftOut: Record<string, number> },
): string | undefined {
  const usable = rows.pairs + usableLone(method, rows.lone).length
  if (usable >= minRows) return undefined
  const what = methodData[method].lone === 'none' ? 'pairs' : 'pairs or lone thumbs'
  const reasons = Object.entries(rows.leftOut).map(([why, count]) => `${count} ${why}`)
  return (
    `${usable} usable ${what}, ${minRows} are needed: ${minRows - usable} more. ` +
    'A pair is a corrected reply, a decided duel, or two answers to one question with opposite thumbs.' +
    (reasons.length > 0 ? ` Left out: ${reasons.join(', ')}.` : '')
  )
}

/** Sums by name; what is nothing is not named. */
function add(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [why, count] of Object.entries(b)) if (count > 0) sum[why] = (sum[why] ?? 0) + count
  return sum
}
