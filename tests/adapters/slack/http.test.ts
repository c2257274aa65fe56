import assert from 'node:assert/strict'
import { App } from '@slack/bolt'
import fc from 'fast-check'
import { type HttpReceiver, slack, slackHttp } from '../../../adapters/slack/index.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import { type FakeBot, fakeBot } from '../../fakes/bot.ts'
import { ownTime } from '../../fakes/clock.ts'
import { interactionForm, type Signed, sign, signingSecret } from '../../fakes/slack/http.ts'
import { type FakeSlack, fakeSlack } from '../../fakes/slack/index.ts'
import { mention, press, slash } from '../../fakes/slack/payloads.ts'
import { boltApp } from './workplace.ts'

const { wait } = ownTime()
const seconds = () => Math.floor(Date.now() / 1000)
const request = ({ body, headers }: Signed) =>
  new Request('http://127.0.0.1/slack/events', { method: 'POST', body, headers })

describe('Slack over HTTP', () => {
  let server: FakeSlack
  let bot: FakeBot
  let receiver: HttpReceiver
  beforeEach(async () => {
    server = await fakeSlack()
    bot = fakeBot()
    receiver = slackHttp({ wait, signingSecret, teams: ['T1'] })
    slack(boltApp(server, receiver), bot)
  })
  afterEach(async () => {
    await bot.idle()
    await server[Symbol.asyncDispose]()
  })
  const send = async (signed: Signed) => (await receiver.fetch(request(signed))) as Response
  const status = async (signed: Signed) => (await send(signed)).status
  const heard = (text = 'Hello?', ts = '1763900001.000100') => JSON.stringify(mention({ text, ts }))

  it('takes a signed event, and only at its own path', async () => {
    assert.equal(await status(sign(heard())), 200)
    assert.deepEqual(
      bot.received.map(({ id }) => id),
      ['slack:T1:C1:1763900001.000100'],
    )
    assert.equal(await receiver.fetch(new Request('http://127.0.0.1/other', { method: 'POST' })), undefined)
  })

  it('answers Slack’s question whether the address is ours', async () => {
    const response = await send(sign(JSON.stringify({ type: 'url_verification', challenge: 'c1', token: 'x' })))
    assert.deepEqual(await response.json(), { challenge: 'c1' })
  })

  it('is acknowledged only once the event is kept; else Slack sends it again', async () => {
    const failing: Bot = { ...bot, receive: async () => Promise.reject(new Error('the disk is full')) }
    const broken = slackHttp({ wait, signingSecret })
    slack(boltApp(server, broken), failing)
    assert.equal(((await broken.fetch(request(sign(heard())))) as Response).status, 500)
  })

  it('is acknowledged before the reply is made', async () => {
    const held = Promise.withResolvers<void>()
    const slow = fakeBot({ script: () => ({ chunks: [held.promise, 'At last.'] }) })
    const busy = slackHttp({ wait, signingSecret })
    slack(boltApp(server, busy), slow)
    assert.equal(((await busy.fetch(request(sign(heard())))) as Response).status, 200)
    held.resolve()
    await slow.idle()
  })

  const body = heard('Forged?', '1763900002.000100')
  const good = () => sign(body)
  const refused: Readonly<Record<string, () => Signed>> = {
    'a wrong secret': () => sign(body, { secret: 'guessed' }),
    'a stale time stamp': () => sign(body, { at: seconds() - 400 }),
    'a time stamp from the future': () => sign(body, { at: seconds() + 400 }),
    'a time stamp a day ahead': () => sign(body, { at: seconds() + 86_400 }),
    'no time stamp': () => ({ body, headers: { 'x-slack-signature': good().headers['x-slack-signature'] ?? '' } }),
    'a time stamp that is no number': () => ({
      ...good(),
      headers: { ...good().headers, 'x-slack-request-timestamp': '1e9' },
    }),
    'no signature': () => ({ body, headers: { 'x-slack-request-timestamp': String(seconds()) } }),
    'a signature of another version': () => ({
      ...good(),
      headers: {
        ...good().headers,
        'x-slack-signature': (good().headers['x-slack-signature'] ?? '').replace('v0', 'v1'),
      },
    }),
    'a cut signature': () => ({
      ...good(),
      headers: { ...good().headers, 'x-slack-signature': (good().headers['x-slack-signature'] ?? '').slice(0, -2) },
    }),
    'a changed body': () => ({ ...good(), body: body.replace('Forged', 'Changed') }),
    'another workspace': () =>
      sign(JSON.stringify({ ...JSON.parse(body), team_id: 'TEVIL', authorizations: [{ team_id: 'TEVIL' }] })),
    'a button pressed in another workspace': () =>
      sign(interactionForm({ ...press({ action: 'hone:up', value: 'hone:up:b_1' }), team: { id: 'TEVIL' } }), {
        type: 'form',
      }),
    'a command given in another workspace': () =>
      sign(new URLSearchParams({ ...slash('status', 'https://x.example'), team_id: 'TEVIL' } as never).toString(), {
        type: 'form',
      }),
    'no workspace': () => sign(JSON.stringify({ ...JSON.parse(body), team_id: undefined })),
    'a signed null': () => sign('null'),
    'a signed number': () => sign('7'),
    'a signed list': () => sign('[]'),
    'a null event': () => sign('{"team_id":"T1","event":null,"type":"event_callback"}'),
    'half JSON': () => sign('{"team_id":'),
    'nothing at all': () => sign(''),
    'a body nested too deeply': () => sign(`{"team_id":"T1","event":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`),
    'a body that is too large': () =>
      sign(`{"team_id":"T1","event":{"type":"message","text":"${'x'.repeat(1_100_000)}"}}`),
    'an interaction that is null': () => sign('payload=null', { type: 'form' }),
    'a form of nonsense': () => sign('payload=%7B%7B', { type: 'form' }),
  }
  for (const [what, make] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      const code = await status(make())
      assert.ok(code >= 400 && code < 500, `answered ${code}`)
      assert.deepEqual(bot.received, [])
    })
  }

  it('takes what is five minutes old, or ahead, and no second more', async () => {
    const noon = 1_763_900_000
    const exact = slackHttp({ wait, signingSecret, now: () => noon * 1000 })
    slack(boltApp(server, exact), bot)
    const at = async (second: number) => (await exact.fetch(request(sign(heard(), { at: second }))))?.status
    assert.deepEqual([await at(noon - 301), await at(noon + 301)], [401, 401])
    assert.deepEqual([await at(noon - 300), await at(noon + 300)], [200, 200])
  })

  it('refuses a body that breaks off, and goes on', async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('socket hang up')) })
    const init = { method: 'POST', headers: good().headers, body: broken, duplex: 'half' }
    const response = await receiver.fetch(new Request('http://127.0.0.1/slack/events', init as RequestInit))
    assert.equal(response?.status, 400)
  })

  it('refuses a request that was used before', async () => {
    const once = sign(heard())
    assert.equal(await status(once), 200)
    assert.equal(await status(once), 401)
    assert.equal(bot.received.length, 1)
  })

  it('refuses the copy of a request that is still being answered, and takes it again when it failed', async () => {
    const once = sign(heard())
    const codes = await Promise.all([status(once), status(once)])
    assert.deepEqual(codes.sort(), [200, 401])
    const failing = sign(interactionForm(press({ action: 'someone-elses', value: '1' })), { type: 'form' })
    assert.deepEqual([await status(failing), await status(failing)], [404, 404])
  })

  it('lets Slack repeat an event, and answers it once', async () => {
    assert.equal(await status(sign(heard(), { at: seconds() - 2 })), 200)
    const again = sign(heard())
    assert.equal(
      await status({
        ...again,
        headers: { ...again.headers, 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' },
      }),
      200,
    )
    await bot.idle()
    assert.equal(server.space.messages.length, 1)
  })

  it('survives any signed JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 5 }), async (json) => {
        assert.ok((await status(sign(json))) >= 200)
      }),
      { numRuns: 100 },
    )
  })

  it('accepts no flipped bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bytes = Buffer.from(body)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ flip
        const changed = bytes.toString('utf8')
        if (changed !== body) assert.equal(await status({ ...sign(body), body: changed }), 401)
      }),
      { numRuns: 200 },
    )
  })

  it('takes a vote as a form, and keeps it before it is acknowledged', async () => {
    await status(sign(heard()))
    await bot.idle()
    const turn = /hone:up:(\w+)/.exec(JSON.stringify(server.space.messages))?.[1] ?? ''
    const form = interactionForm(press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${turn}` }))
    assert.equal(await status(sign(form, { type: 'form' })), 200)
    assert.deepEqual(
      (await bot.store.feedback.ofTurn(turn)).votes.map(({ verdict }) => verdict),
      ['up'],
    )
  })

  it('says 404 for a button nobody here knows', async () => {
    assert.equal(
      await status(sign(interactionForm(press({ action: 'someone-elses', value: '1' })), { type: 'form' })),
      404,
    )
  })

  it('leaves the host’s own listeners as they are', async () => {
    const own = slackHttp({ wait, signingSecret })
    const app = new App({
      receiver: own,
      token: 'xoxb-host',
      clientOptions: { slackApiUrl: server.url },
      logLevel: 'error' as never,
    })
    const asked: string[] = []
    app.action('host_button', async ({ ack }) => {
      asked.push('host')
      await ack()
    })
    slack(app, bot)
    const signed = sign(interactionForm(press({ action: 'host_button', value: '1' })), { type: 'form' })
    assert.equal(((await own.fetch(request(signed))) as Response).status, 200)
    assert.deepEqual(asked, ['host'])
  })
})
