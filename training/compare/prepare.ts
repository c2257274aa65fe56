import { join } from 'node:path'
import type { CompareOptions, ComparePlan } from '../../src/ports/compare.ts'
import type { Store } from '../../src/ports/store.ts'
import { type Method, methods, type Trainer } from '../../src/ports/trainer.ts'
import { planFull } from '../full.ts'
import { materialOf } from '../gate.ts'
import { readGolden } from '../golden.ts'
import { sha256 } from '../hash.ts'
import { readHeldOut } from '../held-out.ts'
import type { Golden } from '../measure.ts'
import { modelShape } from '../model-shape.ts'
import { planOf } from '../plan.ts'
import type { Policy } from '../policy.ts'
import { hyperFor } from '../recipes.ts'
import type { Registry } from '../registry.ts'
import { collect, type Selection, selectFrom } from '../select.ts'
import { folderOf, type Whose } from '../tenants.ts'
import { askedFor, budgetOf, hasWhat, planComparison, type Situation, withinBudget } from './plan.ts'
import type { CompareHead, CompareStore } from './result.ts'
import type { Bench } from './row.ts'
import { type Technique, techniques } from './techniques.ts'
import { type Embed, teller } from './told.ts'
import type { Recipe } from './weights.ts'

/** What only the composition knows of the bot whose techniques are compared. */
export interface BotFacts {
  /** How many messages the examples of this version of the profile take at the start of a prompt. */
  readonly exampleMessages: (profile: string) => Promise<number>
  /** Whose judged replies the bot tells as examples, or would. */
  readonly learn: () => Promise<'own' | 'tenant'>
  /** Vectors to compare questions with; undefined where there is no embedder. */
  readonly embed: () => Promise<Embed | undefined>
}

export interface PrepareParts {
  readonly store: Store
  /** Whose feedback. */
  readonly whose?: Whose
  readonly kept: CompareStore
  readonly registry: Registry
  readonly trainer: Trainer
  readonly base: string
  /** Hugging Face folder; absent: training isn't set up. */
  readonly model?: string
  readonly dataDir: string
  readonly policy: Policy
  readonly golden: readonly Golden[]
  readonly bot: BotFacts
}

/** A comparison that could start. */
export interface Prepared {
  readonly plan: ComparePlan
  readonly head: Omit<CompareHead, 'startedAt'>
  /** The rows to measure now. */
  readonly open: readonly Technique[]
  readonly recipes: ReadonlyMap<Method, Recipe>
  readonly seconds: Situation['methods']
  readonly selection: Selection
  /** Folder in which it is remembered what is held out of that feedback. */
  readonly heldOutIn: string
  /** What every row is measured on; takes a while. */
  bench(signal: AbortSignal): Promise<Omit<Bench, 'signal' | 'say'>>
}

/** Says what a comparison would do, and gathers what it needs. The same feedback, base and budget give the same hash. */
export async function prepareComparison(parts: PrepareParts, options: CompareOptions): Promise<Prepared> {
  const { store, kept, registry, dataDir, policy, bot, base } = parts
  const budget = budgetOf(options)
  const asked = askedFor(options.only, techniques)
  const heldOutIn = folderOf(dataDir, parts.whose)
  const before = await readHeldOut(heldOutIn)
  const golden = [...parts.golden, ...(await readGolden(join(dataDir, 'golden.jsonl')))]
  const all = await collect(store, parts.whose)
  const rowsFor = (method: Method) => withinBudget(selectFrom(all, policy, method, before), budget)
  // KTO's rows are all rows.
  const selection = rowsFor('kto')
  const learn = await bot.learn()
  const ids = [selection.train, selection.heldOut, selection.unpaired].map((rows) => rows.map(({ id }) => id))
  const baseSha256 = await registry.baseSha256(base)
  const hash = sha256(JSON.stringify([baseSha256, budget, ids, golden, learn]))
  const earlier = await kept.get(hash)
  const done = new Set((earlier?.results ?? []).filter(({ failed }) => failed === undefined).map(({ row }) => row))
  const { recipes, seconds } = await recipesFor(parts, budget, rowsFor)
  const embed = await bot.embed()
  const situation: Situation = {
    heldOut: new Set(selection.heldOut.map(({ promptHash }) => promptHash)).size,
    has: hasWhat(selection),
    methods: seconds,
    done,
    ...(embed ? {} : { noExamples: 'Similar questions are found with an embedder only: set HONE_EMBED_MODEL.' }),
  }
  const plan = planComparison(asked, budget, situation)
  const open = asked.filter((_, i) => plan.rows[i]?.why === undefined && !plan.rows[i]?.done)
  const head = {
    format: 1 as const,
    hash,
    base: baseSha256,
    heldOut: situation.heldOut,
    budget,
    rows: [...new Set([...(earlier?.head.rows ?? []), ...asked.map(({ id }) => id)])],
    cannot: {
      ...earlier?.head.cannot,
      ...Object.fromEntries(plan.rows.flatMap(({ id, why }) => (why === undefined ? [] : [[id, why]]))),
    },
  }
  const told = open.some(({ layout }) => layout.examples) ? embed : undefined
  const bench = (signal: AbortSignal) =>
    benchOf(bot, { selection, golden, learn, signal, ...(told ? { embed: told } : {}) })
  return { plan, head, open, recipes, seconds, selection, heldOutIn, bench }
}

interface BenchInput {
  readonly selection: Selection
  readonly golden: readonly Golden[]
  readonly learn: 'own' | 'tenant'
  /** Absent where no row tells examples. */
  readonly embed?: Embed
  readonly signal: AbortSignal
}

/** The held-out material, and what is told beside it. */
async function benchOf(bot: BotFacts, input: BenchInput): Promise<Omit<Bench, 'signal' | 'say'>> {
  const { selection, golden, learn: of, embed, signal } = input
  const whole = materialOf(selection.heldOut, golden)
  // What only tells a version from its base, and what tries to mislead it, is the gate's.
  const material = { ...whole, forms: [], talk: [], golden: whole.golden.filter(({ suite }) => !suite) }
  const questions = [...material.pairs, ...material.golden].map(({ prompt }) => prompt)
  const tell = embed ? { tell: await teller({ selection, questions, embed, of, signal }) } : {}
  const profiles = [...new Set(selection.heldOut.map(({ profile }) => profile))]
  const counts = await Promise.all(profiles.map(async (one) => [one, await bot.exampleMessages(one)] as const))
  return { material, exampleMessages: new Map(counts), ...tell }
}

interface Recipes {
  readonly recipes: ReadonlyMap<Method, Recipe>
  readonly seconds: Situation['methods']
}

/** What each method would be trained on and with, or why it can't be. */
async function recipesFor(
  { model, trainer, base, dataDir }: PrepareParts,
  budget: CompareHead['budget'],
  rowsFor: (method: Method) => Selection,
): Promise<Recipes> {
  const recipes = new Map<Method, Recipe>()
  const seconds: Record<string, { seconds: number; why?: string }> = {}
  const { epochs } = budget
  const shape = model === undefined ? undefined : await modelShape(model)
  const machine = shape && (await trainer.machine?.())
  for (const method of methods) {
    if (!shape) {
      seconds[method] = { seconds: 0, why: 'Training needs the model as a Hugging Face folder: set HONE_TRAIN_MODEL.' }
      continue
    }
    const selection = rowsFor(method)
    const hyper = hyperFor(shape.parameters, { method, ...(epochs === undefined ? {} : { epochs }) })
    const planned = planOf(selection, shape, hyper, machine)
    const { secondsGuess } = planned.plan
    const refusal = planned.plan.refusal ?? (await planFull(method, { base, trainer, dataDir, shape })).refusal?.message
    seconds[method] = { seconds: secondsGuess, ...(refusal === undefined ? {} : { why: refusal }) }
    if (refusal === undefined) recipes.set(method, { selection, hyper: planned.hyper, fit: planned.fit })
  }
  return { recipes, seconds: seconds as Situation['methods'] }
}
