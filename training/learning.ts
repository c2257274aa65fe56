import { join } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import { concerns, guestOf, newId } from '../src/id.ts'
import type { Logger } from '../src/log.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { Learning } from '../src/ports/learning.ts'
import type { Job, Store } from '../src/ports/store.ts'
import type { TrainEvent, Trainer } from '../src/ports/trainer.ts'
import { type Apart, apartOf, type Place } from './apart.ts'
import { type BotFacts, comparing } from './compare/index.ts'
import { cleanDatasets } from './dataset.ts'
import { readGolden } from './golden.ts'
import { type LiveSettings, liveProof } from './live/live.ts'
import type { Golden } from './measure.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { prepare } from './prepare.ts'
import type { Registry } from './registry.ts'
import type { RunParts, RunRequest, RunVoice } from './request.ts'
import { removeOutput, runTraining } from './run.ts'
import { createRunner, type RunEnd, type Runner, type Which } from './runner.ts'
import { schedule } from './schedule.ts'
import type { ServingVersions } from './serving.ts'
import { trainSoftPrompt } from './soft-prompt.ts'
import type { Whose } from './tenants.ts'
import { type PromptFacts, tuning } from './tune/index.ts'
import { keepUnfinished } from './unfinished.ts'

/** What the learning loop is made of. Where `slot` has versions of tenants' own, tenants learn apart. */
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
  /** What a comparison of techniques has to know of the bot; absent: there is none. */
  readonly bot?: BotFacts
  /** Models of their own (`full`) that are kept beside the serving one and the one before it. Default 2. */
  readonly keepModels?: number
  /** Called once a trained version serves because somebody, or the gate, said so. */
  readonly onPromoted?: (version: string, whose: Whose) => void
  /** How what passes the gate is proven live. Absent: it serves at once. */
  readonly live?: LiveSettings
  /** What a search for a better prompt has to know of the bot's profile; absent: there is none. */
  readonly prompts?: PromptFacts
  /** Cron expression for runs by the clock. */
  readonly schedule?: string
  readonly log: Logger
  readonly now?: () => Date
}

const defaultSeed = 42
const off: LiveSettings = { share: 0, days: 0, verdicts: 0 }

type LastRun = Pick<Job, 'detail'> & { readonly steps: readonly Extract<TrainEvent, { type: 'step' }>[] }

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
  const apart = apartOf(options)
  const { whoseOf } = apart
  const live = await liveProof({ ...options, serving: apart.base.serving, settings: options.live ?? off, now })
  /** What is done to the operator's versions is done with a canary of theirs in mind. */
  const servedBy = async (whose: Whose): Promise<Served> => {
    const { slot, serving } = await apart.partsFor(whose)
    return whose ? { slot, serving, serve: atOnce(serving) } : { slot, serving, serve: live.serve }
  }
  const busyFor = (whose: Whose) => (whose ? undefined : live.refusal())
  let closed = false
  const runner = createRunner({ store, log, now }, await recover(options, now))
  const told = (tenant?: string): Which | undefined =>
    apart.tenants && tenant !== undefined ? (job) => concerns(job, tenant) : undefined

  const learning: Learning = {
    ...(apart.tenants ? { tenants: apart.tenants } : {}),
    ...comparingOf(options, partsOf(options, { ...apart.base, serve: live.serve }), { runner, now, whoseOf }),
    ...tuningOf(options, runner, now),
    live,
    async plan(train = {}) {
      const whose = await whoseOf(train.tenant)
      const { plan } = await prepare(options, train, whose)
      const refusal = busyFor(whose) ?? plan.refusal
      return refusal === undefined ? plan : { ...plan, refusal }
    },
    async start(by, train = {}) {
      const whose = await whoseOf(train.tenant)
      const busy = busyFor(whose)
      if (busy) throw new HoneError('BUSY', busy)
      const { selection, plan, hyper, fit, refusal } = await prepare(options, train, whose)
      const golden = [...(options.golden ?? []), ...(await readGolden(join(options.dataDir, 'golden.jsonl')))]
      if (closed) throw new HoneError('BUSY', 'Hone is shutting down.')
      if (refusal) throw refusal
      const seed = train.seed ?? defaultSeed
      const request = {
        id: newId('job'),
        by,
        whose,
        startedAt: now(),
        selection,
        hyper,
        fit,
        ...(plan.memory ? { memory: plan.memory } : {}),
        golden,
        seed,
        options: train,
        keepModels: options.keepModels ?? 2,
      }
      const { id, startedAt } = request
      const detail = { plan, hyper, seed, options: train, ...(whose ? { tenant: whose } : {}) }
      const parts = partsOf(options, await servedBy(whose))
      return runner.start({ id, by, startedAt, detail }, (voice) => trainOnce(parts, request, voice))
    },
    async cancel(by, tenant) {
      const own: Which = ({ detail }) => (detail.tenant ?? '') === guestOf(tenant ?? '')
      const was = await runner.cancel(apart.tenants && tenant !== undefined ? own : undefined)
      if (was) log.info('train.cancelled', { by })
      return was
    },
    watch: (signal, tenant) => runner.watch(signal, told(tenant)),
    async versions(tenant) {
      const whose = tenant === undefined ? undefined : await options.slot.of?.(tenant)
      const canary = whose?.own ? undefined : await live.canary()
      return (await apart.versions(tenant)).map((one) => (one.id === canary?.version ? { ...one, canary } : one))
    },
    async promote(version, by, tenant) {
      const whose = await apart.placeOf(version, tenant)
      if (!whose) return live.promote(version, by)
      await (await apart.partsFor(whose)).serving.promote(version, by, 'command')
    },
    async rollback(by, tenant) {
      const whose = await whoseOf(tenant)
      return whose ? (await apart.partsFor(whose)).serving.rollback(by) : live.rollback(by)
    },
    steps: (tenant) => runner.steps(told(tenant)),
  }
  const clock = options.schedule ? schedule(options.schedule, learning, log) : undefined
  return {
    ...learning,
    async [Symbol.asyncDispose]() {
      closed = true
      clock?.[Symbol.dispose]()
      await runner.cancel()
      await live[Symbol.asyncDispose]()
    },
  }
}

/** What serves somebody, and how what passed the gate comes to serve them. */
interface Served extends Place {
  readonly serve: RunParts['serve']
}

/** The comparison beside the loop, on the same runner. */
function comparingOf(
  { bot, store, registry, trainer, base, model, dataDir, golden = [], policy, trainOn }: LearningOptions,
  run: RunParts,
  { runner, ...more }: { readonly runner: Runner; readonly now: () => Date; readonly whoseOf: Apart['whoseOf'] },
): Pick<Learning, 'comparing'> {
  if (!bot) return {}
  const allowed = { ...defaultPolicy, ...policy, trainOn }
  const found = {
    store,
    registry,
    trainer,
    base,
    dataDir,
    policy: allowed,
    golden,
    bot,
    ...(model ? { model } : {}),
  }
  return { comparing: comparing({ run, ...more }, found, runner) }
}

/** The search for a better prompt, on the same runner. The profile is for all, so it learns from the operator's own. */
function tuningOf(options: LearningOptions, runner: Runner, now: () => Date): Pick<Learning, 'tuning'> {
  const { prompts: facts, teacher: lend, store, slot, dataDir, golden = [], policy, trainOn } = options
  if (!facts) return {}
  const allowed = { ...defaultPolicy, ...policy, trainOn }
  const whose: Whose = slot.of ? '' : undefined
  const parts = { store, slot, facts, dataDir, policy: allowed, golden, now, whose, teacher: lend !== undefined }
  return { tuning: tuning({ ...parts, ...(lend ? { lend } : {}) }, runner) }
}

/** What passed the gate serves all whom it is for. */
const atOnce =
  ({ promote }: ServingVersions): RunParts['serve'] =>
  async (version, by, why) => {
    await promote(version, by, why)
    return 'promoted'
  }

async function trainOnce(
  { serving, ...parts }: RunParts & Pick<Served, 'serving'>,
  request: RunRequest & { readonly keepModels: number },
  voice: RunVoice,
): Promise<RunEnd> {
  if (request.selection.method === 'soft-prompt') return trainSoftPrompt(parts, request, voice)
  const { version, state } = await runTraining(parts, request, voice)
  // The version is there, whatever becomes of old ones; what is left over is tried again after the next run.
  const gone = await serving.prune(request.keepModels).catch((error: unknown) => {
    voice.say(`Old models could not be removed: ${asHoneError(error, 'STORE', 'The disk failed').message}`)
    return []
  })
  if (gone.length > 0) voice.say(`Removed to save space: the models of ${gone.join(', ')}.`)
  return { state, detail: { version } }
}

function partsOf(options: LearningOptions, served: Served): RunParts & Pick<Served, 'serving'> {
  const { store, registry, trainer, base, templateSha256, dataDir, teacher, model = '' } = options
  return {
    ...served,
    store,
    registry,
    trainer,
    base,
    modelFolder: model,
    dataDir,
    ...(teacher ? { teacher } : {}),
    ...(templateSha256 === undefined ? {} : { templateSha256 }),
  }
}

/** Marks runs of a dead process as failed, removes what they left half made, and answers the last run with its steps. */
async function recover({ store, log, dataDir }: LearningOptions, now: () => Date): Promise<LastRun> {
  const jobs = await store.jobs.list(20)
  for (const job of jobs.filter(({ state }) => state === 'running')) {
    const again = job.detail.tune
      ? 'Start it again: with the same votes it goes on with the candidates that are left.'
      : 'Train again: with the same votes it goes on from its last checkpoint.'
    const error = { code: 'TRAINER_FAILED', message: `Hone stopped while this run was on. ${again}` }
    await store.jobs.update(job.id, { state: 'failed', endedAt: now(), detail: { ...job.detail, error } })
    await keepUnfinished(dataDir, job.id)
    await removeOutput(dataDir, job.id)
    log.warn('train.interrupted', { job: job.id })
  }
  await cleanDatasets(join(dataDir, 'datasets'))
  const { steps, ...detail } = jobs[0]?.detail ?? {}
  return { detail, steps: Array.isArray(steps) ? steps : [] }
}
