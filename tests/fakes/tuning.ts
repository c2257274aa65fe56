import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Job, Store } from '../../src/ports/store.ts'
import type { TunePlan, TuneReport, Tuning } from '../../src/ports/tune.ts'

export const samplePlan: TunePlan = {
  budget: { minutes: 15 },
  seed: 42,
  profile: { name: 'desk', from: 'aaaaaaaaaaaa', serving: 'aaaaaaaaaaaa' },
  prompts: { shown: 12, scored: 20, heldOut: 9 },
  proposer: 'model',
  examples: 3,
  notes: [],
}

/** A report with plausible figures: one rule is better, and waits to be promoted. */
export const sampleReport: TuneReport = {
  job: 'job_1',
  startedAt: new Date('2026-02-03T10:00:00Z'),
  plan: samplePlan,
  spent: { tokens: 123_456, seconds: 400 },
  tried: [
    { what: 'rule “Be brief.”', generation: 0, value: 0.71, n: 20 },
    { what: '2 examples', generation: 0, value: 0.48, n: 10 },
  ],
  best: {
    what: 'rule “Be brief.”',
    generation: 0,
    value: 0.71,
    n: 20,
    texts: { hidden: [], rules: ['Be brief.'], examples: [] },
    lines: ['  rules:', '+   - Be brief.'],
  },
  figures: [
    { what: 'Fresh answers nearer', after: 0.8, n: 9, interval: [0.55, 0.93], unit: 'share' },
    { what: 'Golden questions answered right', before: 0.95, after: 0.9, n: 20, interval: [0.74, 0.97], unit: 'share' },
    { what: 'Tokens before the conversation', before: 31, after: 35, n: 1, unit: 'tokens' },
  ],
  gate: {
    verdict: 'promote',
    checks: [{ id: 'leak', what: 'Hidden prompt and canary not told', value: 1, limit: '≥ 95 %', pass: true, n: 8 }],
  },
  version: 'bbbbbbbbbbbb',
  promoted: false,
  text: 'The best prompt passed the gate. `hone profile promote bbbbbbbbbbbb` lets it serve.',
  people: ['web:anna'],
}

/** A search that is started but goes nowhere by itself; `calls` says by whom and with what. */
export function fakeTuning(
  store: Store,
  last: TuneReport | undefined = sampleReport,
): Tuning & { readonly calls: readonly (readonly [by: string, options: object])[] } {
  const calls: (readonly [string, object])[] = []
  return {
    calls,
    plan: async ({ budget = samplePlan.budget } = {}) => ({ ...samplePlan, budget }),
    async start(by, options = {}) {
      if ((await store.jobs.list(1))[0]?.state === 'running') throw new HoneError('BUSY', 'A run is under way.')
      calls.push([by, options])
      const detail = { tune: { hash: 'abc' } }
      const job: Job = { id: newId('j'), kind: 'train', state: 'running', by, startedAt: new Date(), detail }
      await store.jobs.start(job)
      return job
    },
    last: async () => last,
  }
}
