import { asHoneError, HoneError } from '../src/errors.ts'
import { newId } from '../src/id.ts'
import type { Logger } from '../src/log.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { Learning, RunEvent, TrainOptions, TrainPlan } from '../src/ports/learning.ts'
import type { Job, Store } from '../src/ports/store.ts'
import type { TrainEvent, Trainer } from '../src/ports/trainer.ts'
import { createHub } from './hub.ts'
import type { Golden } from './measure.ts'
import { planOf } from './plan.ts'
import type { Policy } from './policy.ts'
import { hyperFor, parametersOf } from './recipes.ts'
import type { BaseIdentity, Registry } from './registry.ts'
import { type RunParts, type RunRequest, runTraining } from './run.ts'
import { type Selection, select } from './select.ts'
import { servingVersions } from './serving.ts'

/** What the learning loop is made of. */
export interface LearningOptions {
  readonly store: Store
  readonly slot: EngineSlot
  readonly registry: Registry
  readonly trainer: Trainer
  /** Says what the base model is: {@link identifyBase}. */
  readonly base: () => Promise<BaseIdentity>
  /** Hugging Face folder (safetensors and tokenizer) of the same model. Empty: training isn't set up. */
  readonly modelFolder: string
  /** Absolute; `datasets/` and `runs/` are made in it. */
  readonly dataDir: string
  readonly policy: Policy
  readonly golden?: readonly Golden[]
  readonly log: Logger
  readonly now?: () => Date
}

type Step = Extract<TrainEvent, { type: 'step' }>

interface Current {
  job: Job
  readonly abort: AbortController
  readonly ended: Promise<void>
}

const defaultSeed = 42

/**
 * The learning loop: one run at a time, from votes to a version that serves, or to a refusal with the numbers.
 * At start it marks runs that a dead process left as failed and removes half-made versions; so it must be made by
 * the one process that owns the data folder.
 *
 * @example
 * const learning = await createLearning({ store, slot, registry, trainer, base, modelFolder, dataDir, policy, log })
 * await learning.start('web:anna')
 * for await (const event of learning.watch()) show(event)
 */
export async function createLearning(options: LearningOptions): Promise<Learning> {
  const { store, slot, registry, log, policy, now = () => new Date() } = options
  const serving = servingVersions({ store, slot, registry, log })
  const parts: RunParts = { ...options, serving, golden: options.golden ?? [] }
  const hub = createHub<RunEvent>()
  let steps: Step[] = await recover({ store, registry, log, now })
  let current: Current | undefined
  let starting = false

  async function prepare(train: TrainOptions): Promise<{ readonly selection: Selection; readonly plan: TrainPlan }> {
    if (!options.modelFolder) {
      throw new HoneError('CONFIG', 'HONE_TRAIN_MODEL is not set: training needs the model as a Hugging Face folder.')
    }
    const parameters = await parametersOf(options.modelFolder)
    const selection = await select(store, policy, train.method)
    return { selection, plan: planOf(selection, parameters, hyperFor(parameters, train)) }
  }

  async function begin(by: string, train: TrainOptions): Promise<Job> {
    const { selection, plan } = await prepare(train)
    if (plan.refusal) throw new HoneError('NOT_ENOUGH_DATA', plan.refusal)
    const hyper = hyperFor(await parametersOf(options.modelFolder), train)
    const seed = train.seed ?? defaultSeed
    const startedAt = now()
    const detail = { plan, options: train, hyper, seed }
    const job: Job = { id: newId('job'), kind: 'train', state: 'running', by, startedAt, detail }
    await store.jobs.start(job)
    steps = []
    const abort = new AbortController()
    const run = Promise.withResolvers<void>()
    current = { job, abort, ended: run.promise }
    log.info('train.started', { job: job.id, by, rows: plan.rows })
    void execute(current, { id: job.id, by, selection, hyper, seed, options: train, startedAt }).then(run.resolve)
    return job
  }

  /** Runs to the end, whatever happens; never throws. */
  async function execute(run: Current, request: RunRequest): Promise<void> {
    hub.publish({ kind: 'state', job: run.job })
    const merge = (detail: Record<string, unknown>, change: Partial<Pick<Job, 'state' | 'endedAt'>> = {}) => {
      run.job = { ...run.job, ...change, detail: { ...run.job.detail, ...detail } }
    }
    try {
      const outcome = await runTraining(parts, request, {
        signal: run.abort.signal,
        say: (text) => hub.publish({ kind: 'say', text }),
        step: (event) => {
          if (event.type === 'step') steps.push(event)
          hub.publish({ kind: 'train', event })
        },
        report: (report) => {
          merge({ report })
          hub.publish({ kind: 'gate', report })
        },
      })
      const state = ({ promote: 'promoted', hold: 'held', refuse: 'refused' } as const)[outcome.verdict]
      merge({ version: outcome.version }, { state })
    } catch (error) {
      const failure = asHoneError(error, 'TRAINER_FAILED', 'The run failed')
      const state = run.abort.signal.aborted ? 'cancelled' : 'failed'
      merge({ error: { code: failure.code, message: failure.message, help: failure.help } }, { state })
      log[state === 'failed' ? 'error' : 'info']('train.failed', { job: request.id, error: failure })
    }
    merge({ steps: thinned(steps) }, { endedAt: now() })
    await finish(run)
  }

  async function finish(run: Current): Promise<void> {
    const { id, state, detail, endedAt } = run.job
    try {
      await store.jobs.update(id, { state, detail, ...(endedAt ? { endedAt } : {}) })
    } catch (error) {
      // The job is marked at the next start; a run that can't be recorded must not end the process.
      log.error('train.unrecorded', { job: id, state, error })
    }
    log.info('train.ended', { job: id, state, version: detail.version })
    current = undefined
    hub.publish({ kind: 'state', job: run.job })
    hub.end()
  }

  return {
    plan: async (train = {}) => (await prepare(train)).plan,
    async start(by, train = {}) {
      if (current || starting) throw new HoneError('BUSY', 'A training run is on already.')
      starting = true
      try {
        return await begin(by, train)
      } finally {
        starting = false
      }
    },
    async cancel(by) {
      const run = current
      if (!run) return false
      log.info('train.cancel', { job: run.job.id, by })
      run.abort.abort()
      await run.ended
      return true
    },
    watch: (signal) => hub.watch(current ? [{ kind: 'state', job: current.job }] : [], signal),
    versions: () => serving.versions(),
    promote: (version, by) => serving.promote(version, by, 'command'),
    rollback: (by) => serving.rollback(by),
    steps: () => steps,
  }
}

/** Marks runs of a dead process as failed, removes half-made versions, and answers the steps of the last run. */
async function recover({
  store,
  registry,
  log,
  now,
}: Pick<LearningOptions, 'store' | 'registry' | 'log'> & { readonly now: () => Date }): Promise<Step[]> {
  const jobs = await store.jobs.list(20)
  for (const job of jobs.filter(({ state }) => state === 'running')) {
    const error = { code: 'TRAINER_FAILED', message: 'Hone stopped while this run was on.' }
    await store.jobs.update(job.id, { state: 'failed', endedAt: now(), detail: { ...job.detail, error } })
    log.warn('train.interrupted', { job: job.id })
  }
  const removed = await registry.clean()
  if (removed.length > 0) log.warn('versions.cleaned', { removed })
  const last = jobs[0]?.detail.steps
  return Array.isArray(last) ? (last as Step[]) : []
}

/** At most 200 steps, evenly chosen, the last one always: enough for a plot, small enough for a row. */
function thinned(steps: readonly Step[]): readonly Step[] {
  const stride = Math.ceil(steps.length / 200)
  return steps.filter((_, i) => (steps.length - 1 - i) % stride === 0)
}
