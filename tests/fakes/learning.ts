import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { GateReport, Learning, RunEvent, TrainPlan, VersionInfo } from '../../src/ports/learning.ts'
import type { Job, Store } from '../../src/ports/store.ts'
import type { TrainEvent } from '../../src/ports/trainer.ts'

type Step = Extract<TrainEvent, { type: 'step' }>

/** A learning loop whose runs go forward only when a test says so. */
export interface FakeLearning extends Learning {
  readonly calls: readonly string[]
  /** Plays so many steps of the run. */
  advance(steps: number): Promise<void>
  /** Ends the run with the gate's verdict; `promote` makes the next version serve. */
  finish(verdict: GateReport['verdict']): Promise<void>
  setPlan(change: Partial<TrainPlan>): void
}

const totalSteps = 40

/** A gate report with plausible figures. */
export function gateReport(verdict: GateReport['verdict']): GateReport {
  const good = verdict === 'promote'
  const share = { n: 61, interval: [0.78, 0.94] as const }
  return {
    verdict,
    checks: [
      { id: 'accuracy', what: 'Prefers what people preferred', value: 0.87, limit: '≥ 0.6', pass: true, ...share },
      {
        id: 'perplexity',
        what: 'Still reads other text',
        value: good ? 0.04 : 9.4,
        limit: '≤ +15 %',
        pass: good,
        n: 64,
      },
      { id: 'answers', what: 'Still answers correctly', value: good ? 0.95 : 0.31, limit: '≥ 0.92', pass: good, n: 40 },
      { id: 'fresh', what: 'Fresh replies are liked', value: 0.82, limit: '≥ 0.5', pass: true, n: 50 },
    ],
  }
}

/** A fake of the learning loop over a store. */
export function fakeLearning(store: Store): FakeLearning {
  const calls: string[] = []
  const watchers = new Set<(event: RunEvent | null) => void>()
  const versions: VersionInfo[] = [{ id: 'v0', serving: true, createdAt: new Date(), bytes: 0, pairs: [] }]
  let steps: Step[] = []
  let job: Job | undefined
  let plan: TrainPlan = {
    method: 'dpo',
    rows: { pairs: 52, heldOut: 9, replay: 120 },
    leftOut: { 'a lone thumb, no pair': 14, 'channel not allowed for training': 3 },
    secondsGuess: 95,
    memoryGuessMb: 1400,
  }
  const emit = (event: RunEvent | null) => {
    for (const watcher of [...watchers]) watcher(event)
  }
  const end = async (state: Job['state'], detail: Record<string, unknown> = {}) => {
    if (!job) throw new HoneError('NOT_FOUND', 'No run is under way.')
    const change = { state, endedAt: new Date(), detail: { ...job.detail, ...detail } }
    await store.jobs.update(job.id, change)
    emit({ kind: 'state', job: { ...job, ...change } })
    job = undefined
    emit(null)
  }
  const serve = (id: string) => {
    if (!versions.some((one) => one.id === id)) throw new HoneError('NOT_FOUND', `There is no version ${id}.`)
    versions.splice(0, versions.length, ...versions.map((one) => ({ ...one, serving: one.id === id })))
  }

  return {
    calls,
    plan: async () => plan,
    setPlan(change) {
      plan = { ...plan, ...change }
    },
    async start(by) {
      calls.push(`start ${by}`)
      const next: Job = { id: newId('j'), kind: 'train', state: 'running', by, startedAt: new Date(), detail: { plan } }
      await store.jobs.start(next)
      job = next
      steps = []
      emit({ kind: 'state', job })
      return job
    },
    async advance(count) {
      for (let n = 0; n < count; n++) {
        const step = steps.length + 1
        const loss = 0.12 + 0.57 * Math.exp(-step / 12) + 0.02 * Math.sin(step * 2.1)
        const learned = { margin: 2.4 * (1 - Math.exp(-step / 15)), accuracy: 1 - 0.5 * Math.exp(-step / 10) }
        const event: Step = {
          type: 'step',
          step,
          of: totalSteps,
          loss,
          ...learned,
          etaSeconds: (totalSteps - step) * 2,
        }
        steps.push(event)
        emit({ kind: 'train', event })
      }
    },
    async finish(verdict) {
      const gate = gateReport(verdict)
      emit({ kind: 'gate', report: gate })
      if (verdict === 'promote') {
        const id = `v${versions.length}`
        const pairs = [{ origin: 'votes' as const, chosen: 'b_1', rejected: 'b_2', people: ['web:anna'] }]
        versions.push({ id, serving: false, createdAt: new Date(), bytes: 1_350_000, pairs, gate })
        serve(id)
      }
      await end(verdict === 'promote' ? 'promoted' : verdict === 'hold' ? 'held' : 'refused', { report: gate })
    },
    async cancel(by) {
      calls.push(`cancel ${by}`)
      if (!job) return false
      await end('cancelled')
      return true
    },
    watch: (signal) => watch(watchers, job ? [{ kind: 'state', job }] : [], signal),
    versions: async () => versions,
    async promote(version, by) {
      calls.push(`promote ${version} ${by}`)
      serve(version)
    },
    async rollback(by) {
      calls.push(`rollback ${by}`)
      serve('v0')
      return 'v0'
    },
    steps: () => steps,
  }
}

async function* watch(
  watchers: Set<(event: RunEvent | null) => void>,
  first: readonly RunEvent[],
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  const queue: (RunEvent | null)[] = [...first]
  let wake = Promise.withResolvers<void>()
  const take = (event: RunEvent | null) => {
    queue.push(event)
    wake.resolve()
  }
  const stop = () => take(null)
  watchers.add(take)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    while (true) {
      if (queue.length === 0) await wake.promise
      wake = Promise.withResolvers<void>()
      for (const event of queue.splice(0)) {
        if (event === null) return
        yield event
      }
    }
  } finally {
    watchers.delete(take)
    signal?.removeEventListener('abort', stop)
  }
}
