import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Comparing, Comparison, Measurement } from '../../src/ports/compare.ts'
import type { Job, Store } from '../../src/ports/store.ts'

const share = (value: number) => ({ value, n: 20, interval: [value - 0.15, Math.min(1, value + 0.05)] as const })

function measured(nearer: number, more: Partial<Measurement> = {}): Measurement {
  return {
    nearer: share(nearer),
    prefers: share(0.6),
    values: share(0.9),
    right: share(0.95),
    declines: share(0.85),
    perplexity: { value: 4.18, n: 1 },
    tokens: 312,
    trainSeconds: 0,
    measureSeconds: 9,
    fails: [],
    ...more,
  }
}

/** A comparison with plausible figures: DPO is better, SFT ruined something, two rows are missing. */
export const sampleComparison: Comparison = {
  hash: 'abc',
  startedAt: new Date('2026-02-03T10:00:00Z'),
  budget: { minutes: 10, rows: 60, seed: 42 },
  heldOut: 20,
  rows: [
    { id: 'base', label: 'Base', what: 'as the bot answers untrained', measured: measured(0.5) },
    {
      id: 'sft',
      label: 'SFT',
      what: 'trained on what people chose',
      measured: measured(0.9, {
        trainSeconds: 48,
        fails: ['golden questions answered right: 40 %, with the base 95 %'],
      }),
    },
    {
      id: 'dpo',
      label: 'DPO',
      what: 'trained on pairs',
      measured: measured(0.9, { trainSeconds: 95, memoryMb: 1400 }),
    },
    { id: 'kto', label: 'KTO', what: 'trained on thumbs' },
    { id: 'full', label: 'Full fine-tuning', what: 'every weight', why: 'It does not fit on the disk.' },
  ],
  advice: { row: 'dpo', text: 'Use DPO: it is nearer.' },
}

/** A comparison that is started but goes nowhere by itself; `calls` says by whom. */
export function fakeComparing(
  store: Store,
  last: Comparison | undefined = sampleComparison,
): Comparing & { readonly calls: readonly string[] } {
  const calls: string[] = []
  const rows = (last ?? sampleComparison).rows.map(({ id, label, why }) => ({
    id,
    label,
    done: id === 'base',
    ...(why === undefined ? {} : { why }),
  }))
  return {
    calls,
    plan: async () => ({ budget: sampleComparison.budget, heldOut: 20, rows, secondsGuess: 200 }),
    async start(by) {
      if ((await store.jobs.list(1))[0]?.state === 'running') throw new HoneError('BUSY', 'A run is under way.')
      calls.push(by)
      const detail = { compare: { hash: 'abc' } }
      const job: Job = { id: newId('j'), kind: 'train', state: 'running', by, startedAt: new Date(), detail }
      await store.jobs.start(job)
      return job
    },
    last: async () => last,
  }
}
