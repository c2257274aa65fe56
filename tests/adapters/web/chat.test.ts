import assert from 'node:assert/strict'
import { type Web, web } from '../../../adapters/web/index.ts'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import { until, type Visitor, visitor } from './visitor.ts'

describe('the chat page', () => {
  let bot: FakeBot
  let site: Web
  let anna: Visitor
  let script: (text: string, nth: number) => Script
  const open = new AbortController()

  beforeEach(() => {
    script = (text) => ({ chunks: [`You said: ${text}`] })
    bot = fakeBot({ script: (text, nth) => script(text, nth) })
    site = web(bot, { adminToken: 'let-me-in', secret: 'signs', host: '127.0.0.1' })
    anna = visitor(site)
  })
  afterEach(() => site.detach())
  after(() => open.abort())

  const send = (text: string, event = 'e_00000001', thread = 't1') =>
    anna.post(`/t/${thread}/messages`, { event, text })
  const ask = async (text: string, event = 'e_00000001') => {
    await send(text, event)
    await bot.idle()
    return anna.page('/t/t1')
  }
  const turnIn = (page: string) => /\/turns\/([\w%]+)\/vote/.exec(page)?.[1] ?? ''

  it('takes a message with 202 and shows it with a reply in the making', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['Half', held.promise] })
    const response = await send('How many days?')
    assert.equal(response.status, 202)
    const html = await response.text()
    assert.match(html, /How many days\?/)
    assert.match(html, /aria-busy="true"/)
    held.resolve()
    await bot.idle()
  })

  it('shows message and reply after a reload', async () => {
    const page = await ask('How many days?')
    assert.match(page, /You said: How many days\?/)
    assert.doesNotMatch(page, /aria-busy="true"/)
  })

  it('receives a message that is sent twice once', async () => {
    await ask('Once')
    const again = await send('Once')
    assert.equal(again.status, 202)
    assert.equal(again.headers.get('hx-trigger'), 'hone:refresh')
    await bot.idle()
    assert.equal((await anna.page('/t/t1')).match(/<div class="said">/g)?.length, 1)
  })

  it('says of a message whether an admin wrote it', async () => {
    await ask('As anybody')
    await anna.get('/login?token=let-me-in')
    await ask('As admin', 'e_00000002')
    assert.deepEqual(
      bot.received.map(({ admin }) => admin),
      [undefined, true],
    )
  })

  it('keeps event ids of two people apart', async () => {
    await ask('Mine')
    await visitor(site).post('/t/t1/messages', { event: 'e_00000001', text: 'Mine too' })
    const ids = new Set(bot.received.map((event) => event.id))
    assert.equal(ids.size, 2)
  })

  it('streams the text so far and ends with the whole reply', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['One ', held.promise, 'two'] })
    await anna.page('/t/t1')
    const events = anna.events('/t/t1/events', open.signal)
    await send('Count')
    await until(events, ({ event, data }) => event !== 'refresh' && JSON.stringify(data).includes('One'))
    held.resolve()
    const final = await until(events, ({ event }) => event === 'final')
    assert.match(final.data.slot ?? '', /One two/)
    assert.match(final.data.slot ?? '', /aria-pressed="false"/)
    await events.return(undefined)
  })

  it('attaches a page that is opened midway to the reply in the making', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['Begun', held.promise, ' and done'] })
    await anna.page('/t/t1')
    await send('Go')
    const first = anna.events('/t/t1/events', open.signal)
    await until(first, ({ data }) => JSON.stringify(data).includes('Begun'))
    const page = await anna.page('/t/t1')
    assert.match(page, /Begun/)
    const cursor = /data-cursor="([\w.]+)"/.exec(page)?.[1] ?? ''
    const second = anna.events(`/t/t1/events?after=${cursor}`, open.signal)
    held.resolve()
    const final = await until(second, ({ event }) => event === 'final')
    assert.match(final.data.slot ?? '', /Begun and done/)
  })

  it('sends what was missed since the last event id', async () => {
    await ask('First')
    const before = anna.events('/t/t1/events', open.signal)
    const seen = await until(before, ({ event }) => event === 'final')
    await before.return(undefined)
    await ask('Second', 'e_00000002')
    const response = await anna.get('/t/t1/events', { 'last-event-id': seen.id })
    const reader = response.body?.getReader()
    let text = ''
    while (!text.includes('event: final')) text += new TextDecoder().decode((await reader?.read())?.value)
    await reader?.cancel()
    assert.match(text, /Second/)
    assert.doesNotMatch(text, /First|refresh/)
  })

  it('tells a page from before a restart to read the thread again', async () => {
    await anna.page('/')
    const events = anna.events('/t/t1/events?after=0ldb00t.7', open.signal)
    assert.equal((await events.next()).value?.event, 'refresh')
    await events.return(undefined)
  })

  it('stops a reply by the id of its message', async () => {
    const never = new Promise<void>(() => undefined)
    script = () => ({ chunks: ['Endless', never] })
    await send('Go on')
    await anna.post('/t/t1/stop', { event: 'e_00000001' })
    await bot.idle()
    assert.deepEqual(bot.stopped, [bot.received[0]?.id])
    assert.match(await anna.page('/t/t1'), /Endless/)
  })

  it('shows the error instead of a reply', async () => {
    script = () => ({ chunks: [], error: 'The engine was restarted.' })
    assert.match(await ask('Hello'), /role="alert">The engine was restarted\./)
  })

  it('lists conversations, newest first, under their first message', async () => {
    await ask('Older')
    await send('Newer', 'e_00000002', 't2')
    await bot.idle()
    const list = await anna.page('/threads?current=t2')
    assert.ok(list.indexOf('Newer') < list.indexOf('Older'))
    assert.match(list, /href="\/t\/t2" aria-current="page"/)
  })

  it('lists a new conversation while its first reply is still being made, once, and for its owner alone', async () => {
    const held = Promise.withResolvers<void>()
    script = () => ({ chunks: ['Half', held.promise] })
    const response = await send('How many\n days?')
    assert.equal(response.headers.get('hx-trigger'), 'threads')
    assert.match(await anna.page('/threads?current=t1'), /href="\/t\/t1" aria-current="page">How many days\?</)
    assert.doesNotMatch(await visitor(site).page('/threads'), /How many/)
    held.resolve()
    await bot.idle()
    assert.equal((await anna.page('/threads')).match(/href="\/t\/t1"/g)?.length, 1)
  })

  for (const [what, text, words] of [
    ['an empty message', '   ', /The message is empty/],
    ['a message of 8,001 characters', 'x'.repeat(8001), /has 8,001 characters; at most 8,000 fit/],
  ] as const) {
    it(`refuses ${what} and says why`, async () => {
      const response = await send(text)
      assert.equal(response.status, 422)
      assert.match(await response.text(), words)
      assert.equal(bot.received.length, 0)
    })
  }

  it('takes a message of 8,000 characters', async () => {
    assert.equal((await send('x'.repeat(8000))).status, 202)
  })

  it('refuses a body above 1 MB', async () => {
    await anna.page('/')
    assert.equal((await send('x'.repeat(1_100_000))).status, 413)
  })

  it('works without JavaScript: a sent form leads back to the conversation', async () => {
    await anna.page('/')
    const response = await anna.post('/t/t1/messages', { event: 'e_00000001', text: 'Hi' }, { 'hx-request': '' })
    assert.equal(response.status, 303)
    assert.equal(response.headers.get('location'), '/t/t1')
  })

  it('shows what the bot says of itself in a thread', async () => {
    await ask('Hello')
    const events = anna.events('/t/t1/events', open.signal)
    await bot.notify(bot.received[0]?.thread ?? '', 'Training ended: **v2** serves.')
    const notice = await until(events, ({ event }) => event === 'notice')
    assert.match(notice.data.html ?? '', /<strong>v2<\/strong>/)
    await events.return(undefined)
  })

  it('keeps the vote that was pressed last, and withdraws it', async () => {
    const turn = turnIn(await ask('Hello'))
    const vote = async (verdict: string) => (await anna.post(`/turns/${turn}/vote`, { verdict })).text()
    assert.match(await vote('up'), /id="up-\w+" aria-pressed="true"/)
    assert.match(await vote('down'), /id="down-\w+" aria-pressed="true"/)
    assert.match(await vote('none'), /id="down-\w+" aria-pressed="false"/)
    assert.deepEqual(
      bot.said.map((event) => event.kind === 'vote' && event.verdict),
      ['up', 'down', 'none'],
    )
  })

  it('offers another try and a better answer after a thumb down only', async () => {
    const turn = turnIn(await ask('Hello'))
    assert.doesNotMatch(await anna.page('/t/t1'), /Try again/)
    const bar = await (await anna.post(`/turns/${turn}/vote`, { verdict: 'down', reason: 'Too long' })).text()
    assert.match(bar, /Try again/)
    assert.match(bar, /<textarea [^>]+>You said: Hello<\/textarea>/)
    assert.match(bar, /class="chip on"\s+aria-pressed="true"[^>]*>Too long/)
  })

  it('keeps a better answer and shows it', async () => {
    const turn = turnIn(await ask('Hello'))
    const bar = await (await anna.post(`/turns/${turn}/correction`, { text: 'Say *this*.' })).text()
    assert.match(bar, /Your better answer[\s\S]+<em>this<\/em>/)
  })

  it('shows another try as a sibling, and both stay in reach', async () => {
    script = (_text, nth) => ({ chunks: [nth === 1 ? 'First answer' : 'Second answer'] })
    const turn = turnIn(await ask('Hello'))
    const waiting = await anna.post(`/turns/${turn}/retry`, { event: 'e_00000002' })
    assert.equal(waiting.status, 202)
    await bot.idle()
    const page = await anna.page('/t/t1')
    assert.match(page, /Second answer[\s\S]+<span>2\/2<\/span>/)
    const first = await (await anna.get(`/turns/${turn}`)).text()
    assert.match(first, /First answer[\s\S]+<span>1\/2<\/span>/)
  })

  it('says why: version, profile, passages, votes', async () => {
    script = () => ({ chunks: ['Hi'], version: 'v3' })
    const turn = turnIn(await ask('Hello'))
    const why = await (await anna.get(`/turns/${turn}/why`)).text()
    for (const fact of [/v3/, /staff@1/, /none yet/, /1 pair \(1 from thumbs\), by 1 person/]) assert.match(why, fact)
    assert.doesNotMatch(why, /You are Hone/, 'hidden prompts are for admins')
  })

  it('folds the reasons of an answer, shows them where the profile does, and never what is kept alone', async () => {
    const text = 'The page says <so>.'
    for (const [index, show] of (['folded', 'shown', 'hidden'] as const).entries()) {
      script = () => ({ chunks: ['25 days'], explanation: { text, show } })
      await send('How many?', `e_0000001${index}`, `t${index}`)
      await bot.idle()
      const page = await anna.page(`/t/t${index}`)
      const details = /<details class="explanation" (open)?>[\s\S]*?The page says &lt;so&gt;\./.exec(page)
      assert.deepEqual([details !== null, details?.[1]], [show !== 'hidden', show === 'shown' ? 'open' : undefined])
      const why = await (await anna.get(`/turns/${turnIn(page)}/why`)).text()
      assert.equal(/The page says/.test(why), show !== 'hidden')
    }
  })

  describe('a blind duel', () => {
    beforeEach(() => {
      script = () => ({ chunks: ['Left text'], version: 'v-old', against: { text: 'Right text', version: 'v-new' } })
    })
    const choose = async (outcome: string) => {
      const page = await anna.page('/t/t1')
      const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? ''
      const duel = /\/duels\/([\w.]+)/.exec(page)?.[1]
      return (await anna.post(`/duels/${duel}`, { outcome, left: field('left'), right: field('right') })).text()
    }

    it('shows both sides without their versions, after a reload too', async () => {
      const page = await ask('Which?')
      assert.match(page, /Left text[\s\S]+Right text/)
      assert.doesNotMatch(page, /v-old|v-new/)
    })

    it('reveals the versions and goes on with the winner', async () => {
      await ask('Which?')
      const chosen = await choose('left')
      assert.match(chosen, /You preferred the left reply \(v-old\) to the right one \(v-new\)/)
      assert.match(chosen, /Left text/)
      assert.doesNotMatch(chosen, /Right text/)
      assert.match(await anna.page('/t/t1'), /You preferred the left reply/)
    })

    it('takes a tie', async () => {
      await ask('Which?')
      assert.match(await choose('tie'), /both as good/)
    })
  })
})
