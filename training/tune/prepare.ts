import { join } from 'node:path'
import { HoneError } from '../../src/errors.ts'
import type { EngineSlot } from '../../src/ports/engine.ts'
import type { Store } from '../../src/ports/store.ts'
import type { TuneBudget, TuneOptions, TunePlan } from '../../src/ports/tune.ts'
import { minEvidence } from '../gate.ts'
import { readGolden } from '../golden.ts'
import { sha256 } from '../hash.ts'
import { readHeldOut } from '../held-out.ts'
import type { Golden } from '../measure.ts'
import type { Policy } from '../policy.ts'
import { collect, type Selection, selectFrom } from '../select.ts'
import type { Whose } from '../tenants.ts'
import { idsOf, type Material, materialFor } from './cases.ts'
import type { PromptFacts, PromptProfile } from './facts.ts'
import { readState, type SearchState } from './state.ts'

export interface TuneParts {
  readonly store: Store
  readonly slot: EngineSlot
  readonly facts: PromptFacts
  readonly dataDir: string
  readonly policy: Policy
  readonly golden: readonly Golden[]
  /** On whose feedback. */
  readonly whose?: Whose
  /** Whether a teacher proposes and judges. */
  readonly teacher: boolean
}

/** A search that could start. */
export interface PreparedTuning {
  readonly plan: TunePlan
  readonly hash: string
  readonly material: Material
  readonly selection: Selection
  readonly serving: PromptProfile
  readonly start: PromptProfile
  readonly golden: readonly Golden[]
  readonly before: SearchState | undefined
}

const defaultBudget: TuneBudget = { minutes: 15 }
const defaultSeed = 42
/** Fewer prompts to score candidates on tell luck from nothing. */
const fewestScored = 4

/** Says what a search would do, and gathers what it needs. The same feedback, profile, version and budget give the same hash. */
export async function prepareTuning(parts: TuneParts, options: TuneOptions): Promise<PreparedTuning> {
  const { store, slot, facts, dataDir, policy, teacher } = parts
  const { seed = defaultSeed, profile } = options
  const budget = budgetOf(options.budget ?? defaultBudget)
  const serving = await facts.read()
  const start = profile === undefined ? serving : await facts.read(profile)
  const all = await collect(store, parts.whose)
  // KTO's rows are all rows: lone thumbs say what people like and why they don't.
  const selection = selectFrom(all, policy, 'kto', await readHeldOut(dataDir))
  const material = await materialFor({ all, selection, profile: start, store, seed })
  const golden = [...parts.golden, ...(await readGolden(join(dataDir, 'golden.jsonl')))]
  const of = [slot.version.id, serving.version, start.version, budget, seed, idsOf(selection), golden, teacher]
  const hash = sha256(JSON.stringify(of))
  const before = await readState(dataDir, hash)
  const { shown, scored, heldOut, examples } = material
  const prompts = {
    shown: shown.length,
    scored: scored.length,
    heldOut: new Set(heldOut.map(({ promptHash }) => promptHash)).size,
  }
  const resumes = Object.keys(before?.seen ?? {}).filter((key) => key !== 'serving').length
  const refusal = refusalOf(prompts, selection)
  const plan: TunePlan = {
    budget,
    seed,
    profile: { name: serving.name, from: start.version, serving: serving.version },
    prompts,
    proposer: teacher ? 'teacher' : 'model',
    examples: examples.length,
    notes: notesOf(prompts.heldOut, examples.length),
    ...(resumes > 0 ? { resumes } : {}),
    ...(refusal === undefined ? {} : { refusal }),
  }
  return { plan, hash, material, selection, serving, start, golden, before }
}

/** Checks a budget. @throws HoneError INPUT */
export function budgetOf({ tokens, minutes }: TuneBudget): TuneBudget {
  const refuse = (why: string) => new HoneError('INPUT', `The budget of the search ${why}.`)
  if (tokens !== undefined && minutes !== undefined) throw refuse('is in tokens or in minutes, not in both')
  if (tokens !== undefined) {
    if (!(Number.isInteger(tokens) && tokens >= 1000)) throw refuse(`is ${tokens} tokens; it must be 1000 or more`)
    return { tokens }
  }
  if (!(minutes !== undefined && minutes > 0 && minutes <= 10_000))
    throw refuse(`is ${minutes} minutes; it must be above 0 and at most 10000`)
  return { minutes }
}

function refusalOf({ scored, heldOut }: TunePlan['prompts'], { leftOut }: Selection): string | undefined {
  if (scored >= fewestScored && heldOut > 0) return undefined
  const reasons = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`)
  const what =
    heldOut === 0 ? 'nothing is held out to measure a prompt on' : `only ${scored} prompts are there to score it on`
  return (
    `Too little feedback to search a prompt: ${what}. Judge more replies; a pair is a corrected reply, a decided duel, or ` +
    `two answers to one question with opposite thumbs.${reasons.length > 0 ? ` Left out: ${reasons.join(', ')}.` : ''}`
  )
}

function notesOf(heldOut: number, examples: number): readonly string[] {
  return [
    ...(heldOut < minEvidence
      ? [`With ${heldOut} held-out prompts the gate can only hold what it finds; ${minEvidence} are needed to pass.`]
      : []),
    ...(examples === 0
      ? [
          'No judged reply may stand in the prompt of everybody: it was asked where not everybody may look, or names somebody.',
        ]
      : []),
  ]
}
