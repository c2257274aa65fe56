import assert from 'node:assert/strict'
import { type Web, web } from '../../../adapters/web/index.ts'
import { compareWords } from '../../../adapters/web/render/words.ts'
import type { Replays } from '../../../src/ports/replay.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { deskProfile, sampleReplays } from '../../fakes/replays.ts'
import { type Visitor, visitor } from './visitor.ts'

const form = {
  threads: '20',
  turns: '100',
  minutes: '10',
  age: '',
  first: 'recent',
  profile: deskProfile('You are Ash.'),
}

describe('the replay page', () => {
  let replays: Replays
  let site: Web
  let admin: Visitor
  let held: PromiseWithResolvers<void>

  beforeEach(async () => {
    held = Promise.withResolvers()
    const store = memoryStore()
    replays = await sampleReplays(store, { hold: held.promise })
    site = web(fakeBot({ store, replays }), { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1' })
    admin = visitor(site)
    await admin.get('/login?token=let-me-in')
  })
  afterEach(() => {
    replays.clear()
    site.detach()
  })
  const ended = async () => {
    held.resolve()
    await Array.fromAsync(replays.watch(replays.last()?.id ?? ''))
  }

  it('is for admins alone, in every part', async () => {
    const anna = visitor(site)
    for (const path of ['/replay', '/replay/panel', '/replay/events'])
      assert.equal((await anna.get(path)).status, 403, path)
    for (const path of ['/replay/start', '/replay/cancel', '/replay/promote'])
      assert.equal((await anna.post(path, form)).status, 403, path)
    assert.equal(replays.last(), undefined)
    assert.doesNotMatch(await anna.page('/'), />Replay</)
    assert.match(await admin.page('/'), />Replay</)
  })

  it('begins with the text of the profile that serves, or of another version', async () => {
    const page = await admin.page('/replay')
    assert.match(page, /<textarea id="profile"[^>]*>---\nname: desk\n---\nYou are Hazel\.\n<\/textarea>/)
    const { versions } = await replays.choices()
    assert.match(await admin.page(`/replay?from=${versions[0]?.version}`), /selected[^>]*>\w+, \d{4}-\d\d-\d\d, serves/)
    assert.equal((await admin.get('/replay?from=zzz')).status, 404)
  })

  it('shows messages as they are answered, each with both replies and what differs', async () => {
    const panel = await (await admin.post('/replay/start', form)).text()
    assert.match(panel, /0 of 2 messages/)
    const [, address = ''] = /data-events="([^"]+)"/.exec(panel) ?? []
    const gone = new AbortController()
    const events = admin.events(`${address.replaceAll('&amp;', '&')}&after=0`, gone.signal)
    const first = (await events.next()).value
    assert.equal(first.event, 'turn')
    const { html, line, summary } = first.data
    assert.match(line, /^1 of 2 messages, about \d+ (s|min) left$/)
    assert.match(html, /class="card pair is-changed is-facts is-judged"/)
    assert.match(html, /How many &lt;b&gt;days&lt;\/b&gt;, case 2\?/)
    assert.match(html, /<del>20 <\/del>days \[1\]\./)
    assert.match(html, /<ins>25 <\/ins>days \[1\]\. <ins>I don’t know more\.<\/ins>/)
    assert.match(html, /People said of the reply then: 1 down[\s\S]*It is 25\./)
    assert.match(summary, /Don’t know<\/dt><dd>0 → 1[\s\S]*Disliked, changed<\/dt><dd>1 of 1/)
    await ended()
    const second = (await events.next()).value
    assert.deepEqual([second.event, second.id], ['turn', '2'])
    assert.match(second.data.html, /class="card pair"/)
    assert.equal((await events.next()).value.event, 'end')
    gone.abort()
  })

  it('goes on from where a broken connection was', async () => {
    await admin.post('/replay/start', form)
    await ended()
    const id = replays.last()?.id
    const events = await Array.fromAsync(admin.events(`/replay/events?id=${id}&after=1`, new AbortController().signal))
    assert.deepEqual(
      events.map(({ event, data }) => [event, data.nth]),
      [
        ['turn', 1],
        ['end', undefined],
      ],
    )
  })

  it('counts what came of it, and lets the candidate serve', async () => {
    await admin.post('/replay/start', form)
    assert.equal((await admin.post('/replay/start', form)).status, 409)
    await ended()
    const page = await admin.page('/replay')
    assert.match(page, /Changed<\/dt><dd>1 of 2/)
    assert.match(page, /You are Ash\.\n<\/textarea>/)
    assert.match(page, /Promote this profile/)
    const { id = '', profile } = replays.last() ?? {}
    assert.equal((await admin.post('/replay/promote', { id: 'gone' })).status, 404)
    const panel = await (await admin.post('/replay/promote', { id })).text()
    assert.match(panel, /This is the profile that serves/)
    assert.equal((await replays.choices()).versions.find(({ serving }) => serving)?.version, profile)
  })

  it('can be cancelled, and keeps what it had', async () => {
    await admin.post('/replay/start', form)
    await admin.post('/replay/cancel', {})
    await ended()
    const panel = await (await admin.get('/replay/panel', { 'hx-request': 'true' })).text()
    assert.match(panel, /It was cancelled\./)
    assert.doesNotMatch(panel, /data-events/)
  })

  it('says where a candidate has a mistake', async () => {
    const answer = await admin.post('/replay/start', { ...form, profile: deskProfile('').replace('name', 'nam') })
    assert.equal(answer.status, 422)
    assert.match(await answer.text(), /the candidate, line 2/)
    assert.equal((await admin.post('/replay/start', { ...form, threads: 'many' })).status, 422)
  })

  it('works without a script, by whole pages', async () => {
    const plain = { 'hx-request': '' }
    const started = await admin.post('/replay/start', form, plain)
    assert.deepEqual([started.status, started.headers.get('location')], [303, '/replay'])
    await ended()
    assert.match(await admin.page('/replay'), /case 1\?/)
  })

  it('is not there where the bot runs without replays', async () => {
    const other = web(fakeBot(), { adminToken: 'x', secret: 'signs', host: '127.0.0.1' })
    const boss = visitor(other)
    await boss.get('/login?token=x')
    assert.equal((await boss.get('/replay')).status, 404)
    assert.doesNotMatch(await boss.page('/'), />Replay</)
    other.detach()
  })

  it('marks the words that one reply has alone', () => {
    assert.deepEqual(compareWords('20 days\noff', '25 days off'), [
      [
        { text: '20 ', same: false },
        { text: 'days\noff', same: true },
      ],
      [
        { text: '25 ', same: false },
        { text: 'days off', same: true },
      ],
    ])
    assert.deepEqual(compareWords('', 'a'), [[], [{ text: 'a', same: false }]])
    const long = 'word '.repeat(2000)
    assert.deepEqual(compareWords(long, `${long}!`)[0], [{ text: long, same: true }])
  })
})
