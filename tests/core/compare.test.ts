import assert from 'node:assert/strict'
import { compareOptions } from '../../src/cli/compare.ts'
import { compareCommand } from '../../src/compare-command.ts'
import { comparePlanText, comparisonText, shareText } from '../../src/comparison.ts'
import type { Job } from '../../src/ports/store.ts'
import { fakeComparing, sampleComparison } from '../fakes/comparing.ts'
import { memoryStore } from '../fakes/memory-store.ts'

describe('the table of a comparison', () => {
  it('has a line for each row in columns, what is missing with its reason, and the recommendation last', () => {
    assert.deepEqual(comparisonText(sampleComparison).split('\n'), [
      'technique  nearer to chosen  prefers chosen  values  right  declines  perplexity  tokens  training  memory',
      'Base       reference         60 % (45–65)    90 %    95 %   85 %      4.18        312     –         –',
      'SFT        90 % (75–95)      60 % (45–65)    90 %    95 %   85 %      4.18        312     48 s      –',
      'DPO        90 % (75–95)      60 % (45–65)    90 %    95 %   85 %      4.18        312     95 s      1400 MB',
      'KTO: not measured yet',
      'Full fine-tuning: It does not fit on the disk.',
      'SFT lost: golden questions answered right: 40 %, with the base 95 %',
      '',
      '20 held-out prompts; per technique: at most 10 minutes of training on the newest 60 rows. In brackets: 90 % intervals.',
      'Use DPO: it is nearer.',
    ])
  })

  it('shows a figure that is none as a dash', () => {
    assert.equal(shareText(undefined), '–')
    assert.equal(shareText({ value: Number.NaN, n: 0, interval: [0, 1] }), '–')
    const text = comparisonText({ ...sampleComparison, rows: sampleComparison.rows.slice(3) })
    assert.match(text, /^technique.*\nKTO: not measured yet/)
  })

  it('is planned in words', async () => {
    const plan = await fakeComparing(memoryStore()).plan()
    assert.match(
      comparePlanText(plan),
      /To measure: SFT, DPO, KTO\.\nMeasured already: Base\.\nFull fine-tuning: It does not fit on the disk\.\nAbout 4 minutes/,
    )
    assert.equal(comparePlanText({ ...plan, refusal: 'No pairs.' }), 'No pairs.')
  })
})

describe('the flags of hone compare', () => {
  it('become options, and what is no number is refused', () => {
    const options = compareOptions({ minutes: 5, only: 'dpo, examples,', dryRun: true })
    assert.deepEqual(options, { minutes: 5, only: ['dpo', 'examples'] })
    assert.throws(() => compareOptions({ rows: Number.NaN }), { code: 'INPUT', message: /--rows must be a number/ })
  })
})

describe('the chat command compare', () => {
  const started: Job[] = []
  const given = (comparing = fakeComparing(memoryStore())) => ({
    by: 'web:anna',
    tenant: 'web',
    comparing,
    started: async (job: Job) => void started.push(job),
  })

  it('shows the last result, the advice outside the code block', async () => {
    const { ok, text, data } = await compareCommand([], given())
    assert.ok(ok && data === sampleComparison)
    assert.match(text, /^```\ntechnique[\s\S]+intervals\.\n```\nUse DPO: it is nearer\.$/)
  })

  it('says that there is none yet', async () => {
    const comparing = { ...fakeComparing(memoryStore()), last: async () => undefined }
    const { ok, text } = await compareCommand(['show'], given(comparing))
    assert.deepEqual([ok, text], [false, 'Nothing was compared yet. `compare start` says what it would do.'])
  })

  it('starts only once it is confirmed', async () => {
    const comparing = fakeComparing(memoryStore())
    assert.match((await compareCommand(['start'], given(comparing))).text, /Say `compare start confirm` to do it\.$/)
    assert.deepEqual([comparing.calls, started], [[], []])
    assert.ok((await compareCommand(['start', 'confirm'], given(comparing))).ok)
    assert.deepEqual([comparing.calls, started.length], [['web:anna'], 1])
  })

  it('knows no other action', async () => {
    assert.equal((await compareCommand(['promote'], given())).ok, false)
  })
})
