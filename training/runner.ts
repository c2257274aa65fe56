import { asHoneError, HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { RunEvent } from '../src/ports/learning.ts'
import type { Job, Store } from '../src/ports/store.ts'
import type { TrainEvent } from '../src/ports/trainer.ts'
import { createHub } from './hub.ts'
import type { RunVoice } from './request.ts'

type Step = Extract<TrainEvent, { type: 'step' }>

/** What a runner needs. */
export interface RunnerOptions {
  readonly store: Store
  readonly log: Logger
  readonly now: () => Date
}

/** How a run ended, as its record keeps it. */
export interface RunEnd {
  readonly state: Exclude<Job['state'], 'running'>
  readonly detail: Readonly<Record<string, unknown>>
}

/** Runs one job at a time in the background, keeps its record, and tells whoever listens. */
export interface Runner {
  /**
   * Starts at once; `work` may throw, and the job has failed then, or was cancelled.
   *
   * @throws HoneError BUSY while another run is on.
   */
  start(job: Pick<Job, 'id' | 'by' | 'startedAt' | 'detail'>, work: (voice: RunVoice) => Promise<RunEnd>): Promise<Job>
  /** Ends the run and waits for its end; false when none is on, or none that `may` be ended. */
  cancel(may?: Which): Promise<boolean>
  watch(signal?: AbortSignal, which?: Which): AsyncIterable<RunEvent>
  steps(which?: Which): readonly Step[]
}

/** Tells the jobs that somebody may see, or end. */
export type Which = (job: Pick<Job, 'detail'>) => boolean

interface Current {
  job: Job
  readonly abort: AbortController
  readonly ended: Promise<void>
}

const all: Which = () => true

/** A runner; `before` is the last run with its steps, for the plot that is shown until the next one. */
export function createRunner(
  { store, log, now }: RunnerOptions,
  before: Pick<Job, 'detail'> & { readonly steps: readonly Step[] },
): Runner {
  const hub = createHub<RunEvent>()
  let steps = [...before.steps]
  let last: Pick<Job, 'detail'> = before
  let current: Current | undefined

  const voice = (run: Current): RunVoice => ({
    signal: run.abort.signal,
    say: (text) => hub.publish({ kind: 'say', text }),
    step(event) {
      // A comparison trains several times: the plot shows the training that is on.
      if (event.type === 'step') {
        if (event.step <= (steps.at(-1)?.step ?? 0)) steps = []
        steps.push(event)
      }
      hub.publish({ kind: 'train', event })
    },
    report(report) {
      run.job = { ...run.job, detail: { ...run.job.detail, report } }
      hub.publish({ kind: 'gate', report })
    },
  })

  /** Runs to the end, whatever happens; never throws. */
  async function execute(run: Current, work: (voice: RunVoice) => Promise<RunEnd>): Promise<void> {
    hub.publish({ kind: 'state', job: run.job })
    const end = await endOf(work, voice(run))
    run.job = {
      ...run.job,
      state: end.state,
      endedAt: now(),
      detail: { ...run.job.detail, ...end.detail, steps: thinned(steps) },
    }
    const { id, state, detail, endedAt } = run.job
    log[state === 'failed' ? 'error' : 'info']('train.ended', { job: id, state, ...end.detail })
    await store.jobs.update(id, { state, detail, ...(endedAt && { endedAt }) }).catch((error: unknown) => {
      // The next start marks the job; a run that can't be recorded must not end the process.
      log.error('train.unrecorded', { job: id, state, error })
    })
    current = undefined
    hub.publish({ kind: 'state', job: run.job })
    hub.end()
  }

  return {
    async start(request, work) {
      if (current) throw new HoneError('BUSY', `A ${nameOf(current.job)} is on already.`)
      const { id, by } = request
      const ended = Promise.withResolvers<void>()
      const job: Job = { ...request, kind: 'train', state: 'running' }
      const run: Current = { job, abort: new AbortController(), ended: ended.promise }
      current = run
      try {
        await store.jobs.start(job)
      } catch (error) {
        current = undefined
        throw error
      }
      steps = []
      last = job
      log.info('train.started', { job: id, by })
      void execute(run, work).then(ended.resolve)
      return job
    },
    async cancel(may = all) {
      const run = current
      if (!run || !may(run.job)) return false
      run.abort.abort()
      await run.ended
      return true
    },
    watch: (signal, which = all) =>
      only(hub.watch(current ? [{ kind: 'state', job: current.job }] : [], signal), which),
    steps: (which = all) => (which(last) ? steps : []),
  }
}

/** What happens in those runs alone. */
async function* only(events: AsyncIterable<RunEvent>, which: Which): AsyncGenerator<RunEvent> {
  let told = false
  for await (const event of events) {
    if (event.kind === 'state') told = which(event.job)
    if (told) yield event
  }
}

function nameOf({ detail }: Job): string {
  if (detail.compare) return 'comparison'
  return detail.tune ? 'search for a prompt' : 'training run'
}

async function endOf(work: (voice: RunVoice) => Promise<RunEnd>, voice: RunVoice): Promise<RunEnd> {
  try {
    return await work(voice)
  } catch (error) {
    const { code, message, help } = asHoneError(error, 'TRAINER_FAILED', 'The run failed')
    return { state: voice.signal.aborted ? 'cancelled' : 'failed', detail: { error: { code, message, help } } }
  }
}

/** At most 200 steps, evenly chosen, the last one always: enough for a plot, small enough for a row. */
function thinned(steps: readonly Step[]): readonly Step[] {
  const stride = Math.ceil(steps.length / 200)
  return steps.filter((_, i) => (steps.length - 1 - i) % stride === 0)
}
