import type { Store } from '../src/ports/store.ts'
import type { Method } from '../src/ports/trainer.ts'
import { methodData, usableLone } from './methods.ts'
import { type Pair, pairsOf, type Unpaired, unpairedOf } from './pairs.ts'
import { applyPolicy, type Policy } from './policy.ts'
import { split } from './split.ts'

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
  /** Absent when there is enough to train on; else how much is missing, and of what. */
  readonly refusal?: string
}

/** Every pair and every lone judgement on record, with who asked, before any policy. */
export async function collect(store: Store): Promise<{
  readonly pairs: readonly Pair[]
  readonly unpaired: readonly Unpaired[]
}> {
  const pairs: Pair[] = []
  const unpaired: Unpaired[] = []
  for await (const judged of store.feedback.judged()) {
    const parent = judged.replies[0]?.turn.parent
    const turn = parent ? await store.turns.get(parent) : undefined
    const asker = turn?.role === 'user' ? { asker: turn.person } : {}
    pairs.push(...pairsOf(judged).map((pair) => ({ ...pair, ...asker })))
    unpaired.push(...unpairedOf(judged).map((row) => ({ ...row, ...asker })))
  }
  return { pairs, unpaired }
}

/** Chooses the rows of a run: derive, apply the policy, split. The same store gives the same rows. */
export async function select(store: Store, policy: Policy, method: Method = 'dpo'): Promise<Selection> {
  const all = await collect(store)
  const pairs = applyPolicy(all.pairs, policy)
  const lone = applyPolicy(all.unpaired, policy)
  const sides = split(pairs.kept)
  const threads = new Set(sides.heldOut.map(({ thread }) => thread))
  const prompts = new Set(sides.heldOut.map(({ promptHash }) => promptHash))
  const unpaired = lone.kept.filter(
    ({ thread, promptHash }) => !prompts.has(promptHash) && (sides.by === 'question' || !threads.has(thread)),
  )
  const leftOut = add(pairs.leftOut, {
    ...(sides.overlapping > 0 ? { 'question is held out': sides.overlapping } : {}),
    ...unusedLone(method, all.unpaired, unpaired),
  })
  const refusal = missing(method, { pairs: pairs.kept.length, lone: unpaired, leftOut })
  return {
    method,
    train: sides.train,
    heldOut: sides.heldOut,
    unpaired,
    leftOut,
    notes: [...pairs.notes, ...(sides.by === 'question' ? [fewThreads] : [])],
    splitBy: sides.by,
    ...(refusal === undefined ? {} : { refusal }),
  }
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

function add(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [why, count] of Object.entries(b)) sum[why] = (sum[why] ?? 0) + count
  return sum
}
