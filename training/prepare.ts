import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { TrainOptions } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { Method, MethodChoice, Trainer } from '../src/ports/trainer.ts'
import { type Choice, chooseMethod } from './choose.ts'
import { advisedMethod } from './compare/compared.ts'
import { compareStore } from './compare/result.ts'
import { planFull } from './full.ts'
import { readHeldOut } from './held-out.ts'
import { modelShape } from './model-shape.ts'
import { type Planned, planOf } from './plan.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { hyperFor } from './recipes.ts'
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
  /** Its Hugging Face folder; absent: training isn't set up. */
  readonly model?: string
  readonly dataDir: string
  readonly trainOn: readonly string[]
  readonly policy?: Partial<Policy>
}

/**
 * Chooses the rows, the settings and what of the machine a run takes.
 *
 * @throws HoneError CONFIG without a model that can be trained
 */
export async function prepare(options: Preparing, train: TrainOptions, whose: Whose): Promise<Prepared> {
  const { store, model, trainOn, policy, dataDir, trainer, base } = options
  if (!model) {
    const what = 'Training needs the model as a Hugging Face folder (safetensors and tokenizer) beside the GGUF'
    throw new HoneError('CONFIG', `${what}: set HONE_TRAIN_MODEL.`)
  }
  const shape = await modelShape(model)
  const recipe = hyperFor(shape.parameters, train)
  const before = await readHeldOut(folderOf(dataDir, whose))
  const allowed = { ...defaultPolicy, ...policy, trainOn }
  const all = await collect(store, whose)
  const advised = train.method === 'auto' ? await advisedFor(folderOf(dataDir, whose), base) : undefined
  const rowsFor = (method: Method) => selectFrom(all, allowed, method, before)
  const { selection, why } = selectFor(train.method, rowsFor, advised)
  const planned = planOf(selection, shape, recipe, await trainer.machine?.())
  const { note, refusal } = await planFull(selection.method, { base, trainer, dataDir, shape })
  const soft = selection.method === 'soft-prompt'
  const unserved = soft ? await whyNoSoftPrompt({ ...options, wantedElsewhere: train.export === true }) : undefined
  const earlier = planned.plan.refusal
  // What can't be done here at all comes before what is missing for it.
  const never = unserved ?? (refusal?.code === 'CONFIG' ? refusal : undefined)
  const missing = earlier && new HoneError(selection.refusal ? 'NOT_ENOUGH_DATA' : 'OUT_OF_MEMORY', earlier)
  const error = never ?? (missing || refusal)
  const plan = {
    ...planned.plan,
    ...(why === undefined ? {} : { why }),
    ...(note === undefined ? {} : { notes: [...(planned.plan.notes ?? []), note] }),
    ...(error ? { refusal: error.message } : {}),
  }
  return { ...planned, selection, plan, ...(error ? { refusal: error } : {}) }
}

/** What the newest comparison advises, if it was made with this base model. */
async function advisedFor(folder: string, base: string): Promise<Choice | undefined> {
  const newest = await compareStore(join(folder, 'compare')).last()
  return newest?.head.base === base ? advisedMethod(newest) : undefined
}

/** The rows for a method; for `auto` those of the method that was measured to be best, else of one that they allow, and why. */
function selectFor(
  method: MethodChoice = 'dpo',
  rowsFor: (method: Method) => Selection,
  advised: Choice | undefined,
): { readonly selection: Selection; readonly why?: string } {
  if (method !== 'auto') return { selection: rowsFor(method) }
  const best = advised && rowsFor(advised.method)
  if (advised && best && !best.refusal) return { selection: best, why: advised.why }
  const choice = chooseMethod(rowsFor('kto'))
  return { selection: rowsFor(choice.method), why: choice.why }
}
