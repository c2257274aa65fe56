import assert from 'node:assert/strict'
import { HoneError } from '../../src/errors.ts'
import { type Logger, silent } from '../../src/log.ts'
import type { Learning, PairTrace, TrainPlan, VersionInfo } from '../../src/ports/learning.ts'
import { dueRun, schedule } from '../../training/schedule.ts'

const plan: TrainPlan = { method: 'dpo', rows: { pairs: 40 }, leftOut: {}, secondsGuess: 60, memoryGuessMb: 900 }

const pair: PairTrace = { origin: 'votes', chosen: 'a', rejected: 'b', people: [] }
const versionOn = (pairs: number): VersionInfo => ({
  id: 'v1',
  serving: false,
  createdAt: new Date(),
  bytes: 1,
  pairs: Array.from({ length: pairs }, () => pair),
})

/** A learning loop that only counts starts; each makes a version of what was planned. */
function counting(
  plans: readonly TrainPlan[],
  start?: () => never,
): Learning & { readonly started: readonly string[] } {
  const started: string[] = []
  const left = [...plans]
  return {
    started,
    plan: async () => left.shift() ?? plan,
    async start(by) {
      start?.()
      started.push(by)
      return { id: 'job_1', kind: 'train', state: 'running', by, startedAt: new Date(), detail: {} }
    },
    cancel: async () => false,
    async *watch() {},
    versions: async () => started.map((_by, i) => versionOn(plans[i]?.rows.pairs ?? 40)),
    promote: async () => {},
    rollback: async () => 'v0',
    steps: () => [],
  }
}

/** A log that keeps the names of its events. */
function keeping(): { readonly log: Logger; readonly events: readonly string[] } {
  const events: string[] = []
  const keep = (level: string) => (event: string) => void events.push(`${level} ${event}`)
  const log: Logger = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    child: () => log,
  }
  return { log, events }
}

describe('the schedule', () => {
  it('knows when the next run is due, and stops', () => {
    using nightly = schedule('0 3 * * *', counting([]), silent)
    assert.equal(nightly.next?.getHours(), 3)
    nightly[Symbol.dispose]()
    assert.equal(nightly.next, undefined)
  })

  it('refuses an expression that cannot be read, and names the setting', () => {
    assert.throws(() => schedule('every night', counting([]), silent), { code: 'CONFIG', message: /HONE_SCHEDULE/ })
  })

  it('starts a run when there is enough, and not twice on the same rows', async () => {
    const learning = counting([plan, plan, { ...plan, rows: { pairs: 44 } }])
    const due = dueRun(learning, silent)
    await due()
    await due()
    assert.equal(learning.started.length, 1)
    await due()
    assert.deepEqual(learning.started, ['schedule', 'schedule'])
  })

  it('says why it starts nothing when too little is there', async () => {
    const { log, events } = keeping()
    const learning = counting([{ ...plan, refusal: '3 usable pairs, 30 are needed: 27 more.' }])
    await dueRun(learning, log)()
    assert.deepEqual([learning.started, events], [[], ['info schedule.skipped']])
  })

  it('lets a run that is on already be, and tries again on the same rows next time', async () => {
    const { log, events } = keeping()
    const busy = counting([], () => {
      throw new HoneError('BUSY', 'A training run is on already.')
    })
    await dueRun(busy, log)()
    assert.deepEqual(events, ['info schedule.skipped'])
  })
})
