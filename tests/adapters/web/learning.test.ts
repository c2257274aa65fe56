import assert from 'node:assert/strict'
import { type Web, web } from '../../../adapters/web/index.ts'
import type { Comparison } from '../../../src/ports/compare.ts'
import type { TuneReport } from '../../../src/ports/tune.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { fakeComparing, sampleComparison } from '../../fakes/comparing.ts'
import { type FakeLearning, fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { fakeTuning, sampleReport } from '../../fakes/tuning.ts'
import { until, type Visitor, visitor } from './visitor.ts'

describe('the learning page', () => {
  let learning: FakeLearning
  let site: Web
  let admin: Visitor

  beforeEach(async () => {
    const kept = memoryStore()
    learning = fakeLearning(kept)
    site = web(fakeBot({ store: kept, learning }), { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1' })
    admin = visitor(site)
    await admin.get('/login?token=let-me-in')
    const at = new Date('2026-02-03T10:00:00Z')
    await kept.feedback.vote({ turn: 'b_1', person: 'p', verdict: 'up', at })
    await kept.feedback.vote({ turn: 'b_2', person: 'p', verdict: 'down', at })
  })
  afterEach(() => site.detach())

  it('shows what the next run would use and what is left out, before anything runs', async () => {
    const page = await admin.page('/learning')
    for (const fact of [/Pairs to learn from<\/dt>\s*<dd>52/, /Held out for the test<\/dt>\s*<dd>9/, /1 min 35 s/]) {
      assert.match(page, fact)
    }
    assert.match(page, /17 rows are left out[\s\S]+a lone thumb, no pair<\/td>\s*<td class="figure">14/)
  })

  it('says why a run can’t start and offers no button for it', async () => {
    learning.setPlan({ refusal: '3 pairs so far; 20 are needed.' })
    const page = await admin.page('/learning')
    assert.match(page, /3 pairs so far; 20 are needed\./)
    assert.match(page, /disabled aria-describedby="refusal"[^>]*>Retrain/)
  })

  it('starts a run and shows its steps as they come', async () => {
    const gone = new AbortController()
    const events = admin.events('/learning/events', gone.signal)
    await events.next()
    const panel = await (await admin.post('/learning/retrain', {})).text()
    assert.match(panel, /Cancel the run/)
    await until(events, ({ event }) => event === 'panel')
    await learning.advance(1)
    const step = await until(events, ({ event }) => event === 'steps')
    assert.equal((step.data.steps as unknown as { step: number }[])[0]?.step, 1)
    gone.abort()
  })

  it('answers a second start with what is going on', async () => {
    await admin.post('/learning/retrain', {})
    const second = await admin.post('/learning/retrain', {})
    assert.equal(second.status, 409)
    assert.match(await second.text(), /A run is under way\./)
  })

  it('cancels a run', async () => {
    await admin.post('/learning/retrain', {})
    const panel = await (await admin.post('/learning/cancel', {})).text()
    assert.match(panel, /cancelled/)
    assert.equal((await admin.post('/learning/cancel', {})).status, 404)
  })

  it('shows the gate’s verdict with the figures that decided', async () => {
    await admin.post('/learning/retrain', {})
    await learning.finish('refuse')
    const page = await admin.page('/learning')
    assert.match(page, /Refused: the version that served before goes on serving/)
    assert.match(page, /Still reads other text<\/th>\s*<td class="figure">\s*9\.4/)
    assert.match(page, /0\.87\s*<span class="dim">\(0\.78 to 0\.94\)/)
    assert.match(page, /✕ failed/)
  })

  it('promotes and rolls back', async () => {
    await admin.post('/learning/retrain', {})
    await learning.finish('promote')
    const serving = (html: string) =>
      /id="version-(\w+)"><th scope="row">\w+\s*<span class="tag">serving/.exec(html)?.[1]
    assert.equal(serving(await admin.page('/learning')), 'v1')
    assert.equal(serving(await (await admin.post('/learning/rollback', {})).text()), 'v0')
    assert.equal(serving(await (await admin.post('/learning/promote', { version: 'v1' })).text()), 'v1')
    assert.equal((await admin.post('/learning/promote', { version: 'v9' })).status, 404)
  })

  it('gives the plots votes by day and the steps of the run', async () => {
    await admin.post('/learning/retrain', {})
    await learning.advance(2)
    const data = (await (await admin.get('/learning/data')).json()) as { votes: unknown; steps: unknown[] }
    assert.deepEqual(data.votes, [{ day: '2026-02-03', up: 1, down: 1 }])
    assert.equal(data.steps.length, 2)
  })

  describe('with a comparison', () => {
    const open = async (last: Comparison | null = sampleComparison) => {
      const kept = memoryStore()
      const comparing = fakeComparing(kept)
      const found = last ? comparing : { ...comparing, last: async () => undefined }
      const bot = fakeBot({ store: kept, learning: { ...fakeLearning(kept), comparing: found } })
      site.detach()
      site = web(bot, { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1' })
      const boss = visitor(site)
      await boss.get('/login?token=let-me-in')
      return { boss, comparing }
    }

    it('shows the table, a line with the interval for each technique, what was lost, and the recommendation', async () => {
      const { boss } = await open()
      const page = await boss.page('/learning')
      assert.match(page, /Use DPO: it is nearer\./)
      assert.match(page, /id="technique-base"[\s\S]+?the reference/)
      assert.match(
        page,
        /DPO\s*<span class="tag">recommended<\/span>[\s\S]+?aria-label="DPO: 90 %, 75 % to 95 %"[\s\S]+?1 min 35 s, 1\.4 GB/,
      )
      assert.match(page, /id="lost-sft"><strong>SFT<\/strong>[\s\S]+?golden questions answered right: 40 %/)
      assert.match(page, /id="technique-full"[\s\S]+?It does not fit on the disk\./)
      assert.match(page, /id="technique-kto"[\s\S]+?not measured yet/)
    })

    it('is started by admins alone, and shown while it runs', async () => {
      const { boss, comparing } = await open(null)
      assert.match(await boss.page('/learning'), /Nothing was compared yet/)
      assert.equal((await visitor(site).post('/learning/compare', {})).status, 403)
      const panel = await (await boss.post('/learning/compare', {})).text()
      assert.match(panel, /Comparing techniques/)
      assert.equal(comparing.calls.length, 1)
      assert.equal((await boss.post('/learning/compare', {})).status, 409)
    })
  })

  describe('with a search for a better prompt', () => {
    const open = async (last: TuneReport | null = sampleReport) => {
      const kept = memoryStore()
      const tuning = fakeTuning(kept)
      const found = last ? tuning : { ...tuning, last: async () => undefined }
      site.detach()
      site = web(fakeBot({ store: kept, learning: { ...fakeLearning(kept), tuning: found } }), {
        adminToken: 'let-me-in',
        secret: 'signs',
        host: '127.0.0.1',
      })
      const boss = visitor(site)
      await boss.get('/login?token=let-me-in')
      return { boss, tuning }
    }

    it('shows what it came to with intervals, and the prompt itself to admins alone', async () => {
      const { boss } = await open()
      const page = await boss.page('/learning')
      assert.match(page, /The best prompt passed the gate\./)
      assert.match(
        page,
        /Golden questions answered right<\/th><td class="figure">95 %<\/td><td class="figure">90 %<\/td><td>74 % to 97 %/,
      )
      assert.match(page, /What it changes: rule “Be brief\.”[\s\S]+?\+ {3}- Be brief\./)
      const seen = await visitor(site).page('/learning')
      assert.match(seen, /The best prompt passed the gate\./)
      assert.doesNotMatch(seen, /Be brief/)
    })

    it('is started by admins alone, and shown while it runs', async () => {
      const { boss, tuning } = await open(null)
      assert.match(await boss.page('/learning'), /Nothing was searched yet/)
      assert.equal((await visitor(site).post('/learning/tune', {})).status, 403)
      assert.match(await (await boss.post('/learning/tune', {})).text(), /Searching a better prompt/)
      assert.equal(tuning.calls.length, 1)
      assert.equal((await boss.post('/learning/tune', {})).status, 409)
    })
  })

  it('has no search for a prompt where the bot runs without', async () => {
    assert.doesNotMatch(await admin.page('/learning'), /id="tune"/)
    assert.equal((await admin.post('/learning/tune', {})).status, 404)
  })

  it('has no comparison where the bot runs without', async () => {
    assert.doesNotMatch(await admin.page('/learning'), /id="compare"/)
    assert.equal((await admin.post('/learning/compare', {})).status, 404)
  })

  it('is not there when nothing learns', async () => {
    const plain = web(fakeBot(), { adminToken: 'x', secret: 'signs', host: '127.0.0.1' })
    const anna = visitor(plain)
    assert.equal((await anna.get('/learning')).status, 404)
    assert.doesNotMatch(await anna.page('/'), />Learning</)
    plain.detach()
  })
})
