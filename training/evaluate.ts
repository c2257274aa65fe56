import { HoneError } from '../src/errors.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { GateReport } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import { type GateInput, gate } from './gate.ts'
import type { Golden } from './measure.ts'
import type { Pair } from './pairs.ts'
import { applyPolicy, defaultPolicy } from './policy.ts'
import type { Registry } from './registry.ts'
import { collect } from './select.ts'

/** What an evaluation works with. */
export interface EvaluateOptions {
  readonly store: Store
  readonly slot: EngineSlot
  readonly registry: Registry
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  /** Channels whose feedback may be used. */
  readonly trainOn: readonly string[]
  /** All tenants learn together. */
  readonly pooled?: boolean
  /** The operator's own questions with known outcomes. */
  readonly golden: readonly Golden[]
  readonly judge?: GateInput['judge']
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/**
 * The gate's checks again, for a version that there is: against the base and the version that serves, on all feedback
 * of today but that on prompts it was trained on. Without a name, the newest version.
 *
 * @throws HoneError NOT_FOUND when there is no such version; LORA_MISMATCH when it fits this base no more.
 */
export async function evaluate(
  name: string | undefined,
  options: EvaluateOptions,
): Promise<{ readonly version: string; readonly report: GateReport }> {
  const { store, registry, base, trainOn, pooled, golden, judge, signal, say } = options
  const id = name ?? (await registry.list()).at(-1)?.manifest.id
  if (id === undefined) throw new HoneError('NOT_FOUND', 'There is no trained version yet.')
  const { manifest } = await registry.get(id)
  const whose = options.slot.of ? (manifest.tenant ?? '') : undefined
  const slot = (whose ? await options.slot.of?.(whose) : undefined) ?? options.slot
  const candidate = await registry.toVersion(id, base)
  const { pairs, standing } = await collect(store, whose)
  const { kept } = applyPolicy(pairs, { ...defaultPolicy, trainOn, ...(pooled ? { pooled } : {}) }, standing)
  const heldOut = unseen(kept, manifest.pairs)
  say(`${heldOut.length} pairs that ${id} was not trained on.`)
  const versions = { base: { id: 'v0', base }, candidate }
  const { report } = await gate({ slot, ...versions, heldOut, golden, ...(judge && { judge }), signal, say })
  return { version: id, report }
}

/** Pairs whose prompts were not trained on, in any of their pairs. */
function unseen(
  pairs: readonly Pair[],
  trained: readonly { readonly chosen: string; readonly rejected: string }[],
): readonly Pair[] {
  const turns = new Set(trained.flatMap(({ chosen, rejected }) => [chosen, rejected]))
  const seen = pairs.filter(({ chosenTurn, rejectedTurn }) => turns.has(chosenTurn) || turns.has(rejectedTurn))
  const prompts = new Set(seen.map(({ promptHash }) => promptHash))
  return pairs.filter(({ promptHash }) => !prompts.has(promptHash))
}
