import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import { newId } from '../src/id.ts'
import type { Logger } from '../src/log.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { Learning, TrainOptions, TrainPlan } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { Method, MethodChoice, TrainEvent, Trainer } from '../src/ports/trainer.ts'
import { chooseMethod } from './choose.ts'
import { cleanDatasets } from './dataset.ts'
import { readGolden } from './golden.ts'
import { readHeldOut } from './held-out.ts'
import type { Golden } from './measure.ts'
import { planOf } from './plan.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { type Hyper, hyperFor, parametersOf } from './recipes.ts'
import type { Registry } from './registry.ts'
import { type RunParts, removeOutput } from './run.ts'
import { createRunner } from './runner.ts'
import { schedule } from './schedule.ts'
import { type Selection, select } from './select.ts'
import { servingVersions } from './serving.ts'

/** What the learning loop is made of. */
export interface LearningOptions {
  readonly store: Store
  readonly slot: EngineSlot
  readonly registry: Registry
  readonly trainer: Trainer
  /** The base model that serves: a GGUF's path or a server's model name. */
  readonly base: string
  /** Hugging Face folder (safetensors and tokenizer) of the same model. Absent: training isn't set up. */
  readonly model?: string
  /** SHA-256 of the chat template that the engine serves with, where it tells; training under another is refused. */
  readonly templateSha256?: string
  /** The engine that writes explained answers for the method `explain`. Absent: the base model does. */
  readonly teacher?: RunParts['teacher']
  /** Absolute; `datasets/` and `jobs/` are made in it, and `golden.jsonl` is read from it if it is there. */
  readonly dataDir: string
  /** Channels whose feedback may be trained on. */
  readonly trainOn: readonly string[]
  /** The rest of the policy, where it is to differ from {@link defaultPolicy}. */
  readonly policy?: Partial<Policy>
  /** The operator's own questions with known outcomes for the gate, beside those in `golden.jsonl`. */
  readonly golden?: readonly Golden[]
  /** Cron expression for runs by the clock. */
  readonly schedule?: string
  readonly log: Logger
  readonly now?: () => Date
}

const defaultSeed = 42

type Step = Extract<TrainEvent, { type: 'step' }>

/**
 * The learning loop: one run at a time, from votes to a version that serves, or to a refusal with the numbers.
 * At start it marks runs of a dead process as failed; so it must be made by the one process that owns the data
 * folder. Disposing it cancels a run and stops the clock.
 *
 * @example
 * await using learning = await createLearning({ store, slot, registry, trainer, base, model, dataDir, trainOn, log })
 * await learning.start('web:anna')
 * for await (const event of learning.watch()) show(event)
 */
export async function createLearning(options: LearningOptions): Promise<Learning & AsyncDisposable> {
  const { store, log, now = () => new Date() } = options
  const serving = servingVersions(options)
  const steps = await recover(options, now)
  const runner = createRunner({ parts: partsOf(options, serving), store, log, now }, steps)

  const learning: Learning = {
    plan: async (train = {}) => (await prepare(options, train)).plan,
    async start(by, train = {}) {
      const { selection, plan, hyper } = await prepare(options, train)
      const golden = [...(options.golden ?? []), ...(await readGolden(join(options.dataDir, 'golden.jsonl')))]
      if (plan.refusal) throw new HoneError('NOT_ENOUGH_DATA', plan.refusal)
      const request = {
        id: newId('job'),
        by,
        selection,
        hyper,
        golden,
        seed: train.seed ?? defaultSeed,
        options: train,
      }
      return runner.start({ ...request, startedAt: now() }, { plan, hyper, seed: request.seed, options: train })
    },
    async cancel(by) {
      const was = await runner.cancel()
      if (was) log.info('train.cancelled', { by })
      return was
    },
    watch: runner.watch,
    versions: serving.versions,
    promote: (version, by) => serving.promote(version, by, 'command'),
    rollback: serving.rollback,
    steps: runner.steps,
  }
  const clock = options.schedule ? schedule(options.schedule, learning, log) : undefined
  return {
    ...learning,
    async [Symbol.asyncDispose]() {
      clock?.[Symbol.dispose]()
      await runner.cancel()
    },
  }
}

interface Prepared {
  readonly selection: Selection
  readonly hyper: Hyper
  readonly plan: TrainPlan
}

async function prepare(options: LearningOptions, train: TrainOptions): Promise<Prepared> {
  const { store, model, trainOn, policy, dataDir } = options
  if (!model) {
    const what = 'Training needs the model as a Hugging Face folder (safetensors and tokenizer) beside the GGUF'
    throw new HoneError('CONFIG', `${what}: set HONE_TRAIN_MODEL.`)
  }
  const parameters = await parametersOf(model)
  const hyper = hyperFor(parameters, train)
  const before = await readHeldOut(dataDir)
  const allowed = { ...defaultPolicy, ...policy, trainOn }
  const { selection, why } = await selectFor(train.method, (method) => select(store, allowed, method, before))
  const plan = planOf(selection, parameters, hyper)
  return { selection, hyper, plan: why === undefined ? plan : { ...plan, why } }
}

/** The rows for a method; for `auto` those of the method that they allow, and why it is that one. */
async function selectFor(
  method: MethodChoice = 'dpo',
  rowsFor: (method: Method) => Promise<Selection>,
): Promise<{ readonly selection: Selection; readonly why?: string }> {
  if (method !== 'auto') return { selection: await rowsFor(method) }
  const choice = chooseMethod(await rowsFor('kto'))
  return { selection: await rowsFor(choice.method), why: choice.why }
}

function partsOf(options: LearningOptions, serving: RunParts['serving']): RunParts {
  const { store, slot, registry, trainer, base, templateSha256, dataDir, teacher, model = '' } = options
  return {
    store,
    slot,
    registry,
    trainer,
    serving,
    base,
    modelFolder: model,
    dataDir,
    ...(teacher ? { teacher } : {}),
    ...(templateSha256 === undefined ? {} : { templateSha256 }),
  }
}

/** Marks runs of a dead process as failed, removes what they left half made, and answers the steps of the last run. */
async function recover({ store, log, dataDir }: LearningOptions, now: () => Date): Promise<readonly Step[]> {
  const jobs = await store.jobs.list(20)
  for (const job of jobs.filter(({ state }) => state === 'running')) {
    const error = { code: 'TRAINER_FAILED', message: 'Hone stopped while this run was on.' }
    await store.jobs.update(job.id, { state: 'failed', endedAt: now(), detail: { ...job.detail, error } })
    await removeOutput(dataDir, job.id)
    log.warn('train.interrupted', { job: job.id })
  }
  await cleanDatasets(join(dataDir, 'datasets'))
  const last = jobs[0]?.detail.steps
  return Array.isArray(last) ? last : []
}
