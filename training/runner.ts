import { asHoneError, HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { RunEvent } from '../src/ports/learning.ts'
import type { Job, Store } from '../src/ports/store.ts'
import type { TrainEvent } from '../src/ports/trainer.ts'
import { createHub } from './hub.ts'
import { type RunParts, type RunRequest, type RunVoice, runTraining } from './run.ts'

type Step = Extract<TrainEvent, { type: 'step' }>

/** What a runner needs besides the parts of a run. */
export interface RunnerOptions {
  readonly parts: RunParts
  readonly store: Store
  readonly log: Logger
  readonly now: () => Date
}

/** Runs one training job at a time in the background, keeps its record, and tells whoever listens. */
export interface Runner {
  /** Starts at once. @throws HoneError BUSY while another run is on. */
  start(request: RunRequest, detail: Record<string, unknown>): Promise<Job>
  /** Ends the run and waits for its end; false when none is on. */
  cancel(): Promise<boolean>
  watch(signal?: AbortSignal): AsyncIterable<RunEvent>
  steps(): readonly Step[]
}

interface Current {
  job: Job
  readonly abort: AbortController
  readonly ended: Promise<void>
}

/** A runner; `before` are the steps of the last run, for the plot that is shown until the next one. */
export function createRunner({ parts, store, log, now }: RunnerOptions, before: readonly Step[]): Runner {
  const hub = createHub<RunEvent>()
  let steps = [...before]
  let current: Current | undefined

  const voice = (run: Current): RunVoice => ({
    signal: run.abort.signal,
    say: (text) => hub.publish({ kind: 'say', text }),
    step(event) {
      if (event.type === 'step') steps.push(event)
      hub.publish({ kind: 'train', event })
    },
    report(report) {
      run.job = { ...run.job, detail: { ...run.job.detail, report } }
      hub.publish({ kind: 'gate', report })
    },
  })

  /** Runs to the end, whatever happens; never throws. */
  async function execute(run: Current, request: RunRequest): Promise<void> {
    hub.publish({ kind: 'state', job: run.job })
    const end = await outcomeOf(parts, request, voice(run))
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
    async start(request, detail) {
      if (current) throw new HoneError('BUSY', 'A training run is on already.')
      const { id, by, startedAt } = request
      const ended = Promise.withResolvers<void>()
      const job: Job = { id, kind: 'train', state: 'running', by, startedAt, detail }
      const run: Current = { job, abort: new AbortController(), ended: ended.promise }
      current = run
      try {
        await store.jobs.start(job)
      } catch (error) {
        current = undefined
        throw error
      }
      steps = []
      log.info('train.started', { job: id, by })
      void execute(run, request).then(ended.resolve)
      return job
    },
    async cancel() {
      const run = current
      run?.abort.abort()
      await run?.ended
      return run !== undefined
    },
    watch: (signal) => hub.watch(current ? [{ kind: 'state', job: current.job }] : [], signal),
    steps: () => steps,
  }
}

const states = { promote: 'promoted', hold: 'held', refuse: 'refused' } as const

/** How the run ended, as the job's record keeps it. */
async function outcomeOf(
  parts: RunParts,
  request: RunRequest,
  voice: RunVoice,
): Promise<{ readonly state: Job['state']; readonly detail: Record<string, unknown> }> {
  try {
    const { version, verdict } = await runTraining(parts, request, voice)
    return { state: states[verdict], detail: { version } }
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
