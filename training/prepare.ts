import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { TrainOptions } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { Method, Trainer } from '../src/ports/trainer.ts'
import { type Choice, chooseMethod } from './choose.ts'
import { advisedMethod, comparesMethods } from './compare/compared.ts'
import { compareStore } from './compare/result.ts'
import { planFull } from './full.ts'
import { readHeldOut } from './held-out.ts'
import { modelShape } from './model-shape.ts'
import { type Planned, planOf } from './plan.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { hyperFor } from './recipes.ts'
import type { Registry } from './registry.ts'
import { collect, type Selection, selectFrom } from './select.ts'
import { whyNoSoftPrompt } from './soft-prompt.ts'
import { folderOf, type Whose } from './tenants.ts'

/** A run that could start, or why not. */
export interface Prepared extends Planned {
  readonly selection: Selection
  /** Thrown by a start where the plan has a refusal. */
  readonly refusal?: HoneError
}

/** What a run is prepared from: options of the learning loop. */
export interface Preparing {
  readonly store: Store
  readonly slot: EngineSlot
  readonly trainer: Trainer
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  readonly registry: Pick<Registry, 'baseSha256'>
  /** Its Hugging Face folder; absent: training isn't set up. */
  readonly model?: string
  readonly dataDir: string
  readonly trainOn: readonly string[]
  readonly policy?: Partial<Policy>
}

/**
 * Chooses the rows, the settings and what of the machine a run takes. `auto` takes the method that a comparison advises if
 * that can run here, else the one that the feedback allows, and says why.
 *
 * @throws HoneError CONFIG without a model that can be trained
 */
export async function prepare(options: Preparing, train: TrainOptions, whose: Whose): Promise<Prepared> {
  const { store, registry, model, trainOn, policy, dataDir, base } = options
  if (!model) {
    const what = 'Training needs the model as a Hugging Face folder (safetensors and tokenizer) beside the GGUF'
    throw new HoneError('CONFIG', `${what}: set HONE_TRAIN_MODEL.`)
  }
  const folder = folderOf(dataDir, whose)
  const before = await readHeldOut(folder)
  const all = await collect(store, whose)
  const allowed = { ...defaultPolicy, ...policy, trainOn }
  const rowsFor = (method: Method) => selectFrom(all, allowed, method, before)
  const { method = 'dpo' } = train
  const as = (one: Method) => prepareAs(one, rowsFor(one), { ...options, model }, train)
  if (method !== 'auto') return as(method)
  const advised = await advisedFor(folder, await registry.baseSha256(base))
  const best = advised && explained(await as(advised.method), advised)
  if (best && !best.refusal) return best
  const choice = chooseMethod(rowsFor('kto'))
  return explained(await as(choice.method), choice)
}

async function prepareAs(
  method: Method,
  selection: Selection,
  options: Preparing & { readonly model: string },
  train: TrainOptions,
): Promise<Prepared> {
  const { model, dataDir, trainer, base } = options
  const shape = await modelShape(model)
  const planned = planOf(selection, shape, hyperFor(shape.parameters, { ...train, method }), await trainer.machine?.())
  const { note, refusal } = await planFull(method, { base, trainer, dataDir, shape })
  const soft = method === 'soft-prompt'
  const unserved = soft ? await whyNoSoftPrompt({ ...options, wantedElsewhere: train.export === true }) : undefined
  const earlier = planned.plan.refusal
  // What can't be done here at all comes before what is missing for it.
  const never = unserved ?? (refusal?.code === 'CONFIG' ? refusal : undefined)
  const missing = earlier && new HoneError(selection.refusal ? 'NOT_ENOUGH_DATA' : 'OUT_OF_MEMORY', earlier)
  const error = never ?? (missing || refusal)
  const plan = {
    ...planned.plan,
    ...(note === undefined ? {} : { notes: [...(planned.plan.notes ?? []), note] }),
    ...(error ? { refusal: error.message } : {}),
  }
  return { ...planned, selection, plan, ...(error ? { refusal: error } : {}) }
}

function explained(prepared: Prepared, { why }: Choice): Prepared {
  return { ...prepared, plan: { ...prepared.plan, why } }
}

/** What the newest finished comparison of methods on this base model advises. */
async function advisedFor(folder: string, baseSha256: string): Promise<Choice | undefined> {
  const all = await compareStore(join(folder, 'compare')).all()
  const newest = all.find((kept) => kept.head.base === baseSha256 && comparesMethods(kept))
  return newest && advisedMethod(newest)
}
