import assert from 'node:assert/strict'
import type { Job } from '../../src/ports/store.ts'
import { changeBetween } from '../../src/profiles.ts'
import { parseProfile, withTexts } from '../../src/prompt/profile.ts'
import { tuneCommand } from '../../src/tune-command.ts'
import { figureLine, readBudget, tunePlanText, tuneReportText } from '../../src/tuning.ts'
import { memoryStore } from '../fakes/memory-store.ts'
import { fakeTuning, samplePlan, sampleReport } from '../fakes/tuning.ts'

describe('the budget of a search', () => {
  it('is read as minutes or as tokens, and nothing else', () => {
    assert.deepEqual(['20min', '1 minute', '500k', '300000', '2000 tokens'].map(readBudget), [
      { minutes: 20 },
      { minutes: 1 },
      { tokens: 500_000 },
      { tokens: 300_000 },
      { tokens: 2000 },
    ])
    for (const wrong of ['', 'much', '2M', '5m', '-3min'])
      assert.throws(() => readBudget(wrong), { code: 'INPUT', message: /give minutes \(20min\) or evaluated tokens/ })
  })

  it('is told before anything runs', () => {
    const text = tunePlanText({ ...samplePlan, resumes: 3, notes: ['Little is held out.'] })
    assert.match(text, /The search: at most 15 minutes; the gate comes after it\./)
    assert.match(text, /12 to learn from, 20 to score candidates on, 9 held out/)
    assert.match(text, /3 candidates are scored already\.\nLittle is held out\.$/)
    assert.match(tunePlanText({ ...samplePlan, budget: { tokens: 500_000 } }), /at most 500,000 evaluated tokens/)
    assert.equal(tunePlanText({ ...samplePlan, refusal: 'Too little.' }), 'Too little.')
  })
})

describe('the report of a search', () => {
  it('has the candidates, the change, before and after with intervals, the gate, and the advice last', () => {
    const lines = tuneReportText(sampleReport).split('\n')
    assert.equal(lines[0], 'Searched desk@aaaaaaaaaaaa: 2 candidates, 123,456 tokens in 7 min (at most 15 minutes).')
    for (const line of [
      ' 71   20  rule “Be brief.”',
      '+   - Be brief.',
      'Fresh answers nearer: 80 % (55–93), n = 9',
      'Golden questions answered right: 95 % → 90 % (74–97), n = 20',
      'Tokens before the conversation: 31 → 35',
      '- ✔ Hidden prompt and canary not told: 1 (≥ 95 %, n = 8)',
    ])
      assert.ok(lines.includes(line), `${line}\n---\n${lines.join('\n')}`)
    assert.equal(lines.at(-1), sampleReport.text)
  })

  it('is short where nothing was better', () => {
    const { best: _, gate: __, version: ___, ...nothing } = sampleReport
    const text = tuneReportText({ ...nothing, figures: [], text: 'No prompt did better.' })
    assert.doesNotMatch(text, /held-out side|The gate:|The best one/)
    assert.match(text, /No prompt did better\.$/)
    assert.equal(figureLine({ what: 'A', after: 0.5, n: 4, unit: 'share' }), 'A: 50 %, n = 4')
  })
})

describe('the chat command tune-prompt', () => {
  const started: Job[] = []
  const given = (tuning = fakeTuning(memoryStore())) => ({
    by: 'web:anna',
    tuning,
    started: async (job: Job) => void started.push(job),
  })

  it('shows the last report, the advice outside the code block', async () => {
    const { ok, text, data } = await tuneCommand([], given())
    assert.ok(ok && data === sampleReport)
    assert.match(text, /^```\nSearched desk@[\s\S]+\n```\nThe best prompt passed the gate\./)
    const none = { ...fakeTuning(memoryStore()), last: async () => undefined }
    assert.match((await tuneCommand(['show'], given(none))).text, /No prompt was searched yet/)
  })

  it('starts only once it is confirmed, with the budget that was given', async () => {
    const tuning = fakeTuning(memoryStore())
    const asked = await tuneCommand(['start', '5min'], given(tuning))
    assert.match(asked.text, /at most 5 minutes[\s\S]+Say `tune-prompt start 5min confirm` to do it\.$/)
    assert.deepEqual([tuning.calls, started], [[], []])
    assert.ok((await tuneCommand(['start', '5min', '--promote', 'confirm'], given(tuning))).ok)
    assert.deepEqual(tuning.calls, [['web:anna', { budget: { minutes: 5 }, promote: true }]])
    assert.equal(started.length, 1)
  })

  it('refuses a budget that is none, and knows no other action', async () => {
    await assert.rejects(tuneCommand(['start', 'soon'], given()), { code: 'INPUT' })
    assert.equal((await tuneCommand(['stop'], given())).ok, false)
  })
})

describe('a profile with other texts', () => {
  const source =
    '---\nname: desk\nrules:\n  - Be brief.\nvariables:\n  plan: { choices: [free, team], default: free }\nsampling: { temperature: 0 }\n---\nYou are Hazel.'
  const profile = parseProfile(source, 'desk.md')

  it('is a version of its own that keeps all the rest', () => {
    const next = withTexts(profile, {
      hidden: ['On {{plan}}.'],
      rules: [],
      examples: [{ question: 'A?', answer: 'B.' }],
    })
    assert.notEqual(next.version, profile.version)
    const { version: _, source: __, ...rest } = next
    const { version: ___, source: ____, ...before } = profile
    assert.deepEqual(rest, {
      ...before,
      hidden: ['On {{plan}}.'],
      rules: [],
      examples: [{ question: 'A?', answer: 'B.' }],
    })
    assert.ok(changeBetween(profile, next).lines.some((line) => line === '+   - On {{plan}}.'))
  })

  it('uses no variable that the profile lacks', () => {
    assert.throws(() => withTexts(profile, { hidden: ['{{salary}}'], rules: [], examples: [] }), { code: 'CONFIG' })
  })
})
