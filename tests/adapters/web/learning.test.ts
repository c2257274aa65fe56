import assert from 'node:assert/strict'
import { type Web, web } from '../../../adapters/web/index.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { type FakeLearning, fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
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

  it('is not there when nothing learns', async () => {
    const plain = web(fakeBot(), { adminToken: 'x', secret: 'signs', host: '127.0.0.1' })
    const anna = visitor(plain)
    assert.equal((await anna.get('/learning')).status, 404)
    assert.doesNotMatch(await anna.page('/'), />Learning</)
    plain.detach()
  })
})
