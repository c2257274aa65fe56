import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { type Bench, openBench } from '../../fakes/teams/bench.ts'
import { tenant } from '../../fakes/teams/chat.ts'
import { agents, botbuilder, lenientAgents } from '../../fakes/teams/hosts.ts'
import type { TokenChange } from '../../fakes/teams/issuer.ts'
import { quietConsole } from '../../fakes/teams/quiet.ts'

const now = () => Math.floor(Date.now() / 1000)
const claims = (change: object): TokenChange => ({ claims: { ...change } })

/** Tokens that nobody should believe. */
const forged: Readonly<Record<string, () => TokenChange>> = {
  'signed with another key': () => ({ foreignKey: true }),
  'signed with nothing': () => ({ header: { alg: 'none' } }),
  'of an unknown key': () => ({ header: { kid: 'key-2' } }),
  'for another bot': () => claims({ aud: '99999999-0000-4000-8000-000000000000' }),
  'for nobody': () => claims({ aud: undefined }),
  'from another issuer': () => claims({ iss: 'https://sts.windows.net/evil/' }),
  'that has expired': () => claims({ nbf: now() - 7200, exp: now() - 3600 }),
  'that is not valid yet': () => claims({ nbf: now() + 3600, exp: now() + 7200 }),
}

const post = (bench: Bench, body: string, headers: Record<string, string> = {}) =>
  bench.host.fetch(
    new Request('http://127.0.0.1/api/messages', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    }),
  )
const nothingHappened = async (bench: Bench) => {
  await bench.bot.idle()
  assert.deepEqual(bench.bot.received, [])
  assert.deepEqual(bench.host.seen, [])
  assert.deepEqual(bench.connector.calls, [])
}

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`who is believed in Teams (${name})`, () => {
    quietConsole()
    for (const [what, change] of Object.entries(forged)) {
      it(`refuses a token ${what}`, async () => {
        await using bench = await openBench(open)
        const token = bench.connector.issuer.token(change())
        const response = await bench.chat().post({ type: 'message', text: 'let me in' }, token)
        assert.equal(response.status, 401)
        await nothingHappened(bench)
      })
    }

    it('refuses a token whose secret is the public key', async () => {
      await using bench = await openBench(open)
      const keys = await (await fetch(`${bench.connector.url}keys`)).text()
      const [head, body] = bench.connector.issuer.token({ header: { alg: 'HS256' } }).split('.')
      const mac = createHmac('sha256', keys).update(`${head}.${body}`).digest('base64url')
      const response = await bench.chat().post({ type: 'message', text: 'let me in' }, `${head}.${body}.${mac}`)
      assert.equal(response.status, 401)
      await nothingHappened(bench)
    })

    it('refuses an activity without a token, votes and buttons too', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      assert.equal((await anna.post({ type: 'message', text: 'hi' }, '')).status, 401)
      const value = { actionName: 'feedback', actionValue: { reaction: 'like' } }
      const vote = { type: 'invoke', name: 'message/submitAction', replyToId: 'm1', value }
      assert.equal((await anna.post(vote, '')).status, 401)
      assert.equal((await anna.post({ type: 'message', text: 'hi' }, 'x.y.z')).status, 401)
      await nothingHappened(bench)
    })

    it('refuses a service URL that the token does not name', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      const away = { type: 'message', text: 'hi', serviceUrl: 'http://127.0.0.1:1/' }
      assert.notEqual((await anna.post({ ...away, serviceUrl: 'https://evil.test/' })).status, 200)
      await anna.post(away)
      await anna.post({ type: 'message', text: 'hi' }, bench.connector.issuer.token(claims({ serviceurl: undefined })))
      await nothingHappened(bench)
    })

    it('answers 400 to bodies that end other bots, and goes on', async () => {
      await using bench = await openBench(open)
      const bad = [
        '{}',
        '[]',
        'null',
        '""',
        '1',
        '{',
        '',
        '{"type":5}',
        '{"type":"message"}',
        '{"type":"message","conversation":{"id":{}}}',
      ]
      for (const body of bad) assert.equal((await post(bench, body)).status, 400, body)
      const bearer = { authorization: `Bearer ${bench.connector.issuer.token()}` }
      for (const body of bad) assert.equal((await post(bench, body, bearer)).status, 400, body)
      assert.equal((await post(bench, 'x'.repeat(300_000))).status, 413)
      await nothingHappened(bench)
      await bench.chat().say('Still there?')
      assert.equal((await bench.chat().answered()).activity.text, 'You said: Still there?')
    })

    it('goes on after whatever JSON it is sent, by strangers and by Teams itself', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      const field = fc.constantFrom(
        'text',
        'entities',
        'value',
        'channelData',
        'attachments',
        'timestamp',
        'from',
        'id',
        'replyToId',
      )
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), field, fc.constantFrom('message', 'invoke'), async (json, name, type) => {
          assert.ok((await post(bench, JSON.stringify(json))).status >= 400)
          assert.notEqual((await anna.post({ type, text: 'x', [name]: json })).status, 500)
        }),
        { numRuns: 60 },
      )
      await bench.bot.idle()
      const ben = bench.chat({ conversation: 'a:ben', who: 'Ben' })
      await ben.say('Still there?')
      assert.equal((await ben.answered()).activity.text, 'You said: Still there?')
    })

    it('does not talk to a tenant that was not named', async () => {
      await using bench = await openBench(open)
      const stranger = bench.chat({ tenant: 'b0000000-0000-4000-8000-000000000002' })
      await stranger.say('hi')
      await bench.bot.idle()
      assert.deepEqual(bench.bot.received, [])
      assert.deepEqual(bench.connector.calls, [])
    })

    it('does not talk to guests from a tenant that was not named, in a conversation of one that was', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat({ conversation: 'a:shared' })
      const elsewhere = 'b0000000-0000-4000-8000-000000000002'
      const from = { id: '29:Eve', name: 'Eve', aadObjectId: 'aad-anna', tenantId: elsewhere }
      await anna.post({ type: 'message', text: 'hone board', from })
      await anna.post({ type: 'message', text: 'hi', channelData: { tenant: { id: elsewhere } } })
      await bench.bot.idle()
      assert.deepEqual(bench.bot.received, [])
      assert.deepEqual(bench.connector.calls, [])
    })

    it('answers without authentication only where that was asked for', async () => {
      await using closed = await openBench(open, { anonymous: true })
      await closed.chat().post({ type: 'message', text: 'hi' }, '')
      await nothingHappened(closed)
      await using local = await openBench(open, { anonymous: true, insecureLocalTesting: true })
      const anna = local.chat()
      await anna.post({ type: 'message', text: 'hi', serviceUrl: 'https://evil.test/' }, '')
      assert.deepEqual(local.bot.received, [])
      await anna.post({ type: 'message', text: 'hi' }, '')
      assert.equal((await anna.answered()).activity.text, 'You said: hi')
    })
  })
}

describe('Hone in the pipeline of an SDK that checks no shapes', () => {
  it('throws nothing into the host, whatever an activity is', async () => {
    await using bench = await openBench(botbuilder, { insecureLocalTesting: true })
    const anna = { id: '29:Anna', name: 'Anna', aadObjectId: 'aad-anna' }
    const activity = {
      type: 'message',
      id: 'e1',
      channelId: 'msteams',
      text: 'hi',
      serviceUrl: bench.connector.url,
      from: anna,
      recipient: { id: '28:hone' },
      conversation: { id: 'a:anna', conversationType: 'personal', tenantId: tenant },
    }
    const turn = (change: object) => {
      const context = { activity: { ...activity, ...change }, adapter: {}, turnState: new Map(), onSendActivities() {} }
      return bench.hone.onTurn({ ...context, sendActivity: async () => undefined } as never, async () => undefined)
    }
    await turn({ id: { toString: false } })
    await turn({ conversation: { id: {}, tenantId: tenant } })
    await turn({ from: { ...anna, tenantId: { toString: '' } } })
    const field = fc.constantFrom(...Object.keys(activity), 'replyToId', 'name', 'value', 'entities', 'channelData')
    const within = fc.constantFrom('id', 'name', 'aadObjectId', 'tenantId', 'conversationType', 'toString')
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), field, within, async (json, name, inner) => {
        await turn({ [name]: json })
        const known = activity[name as keyof typeof activity]
        if (typeof known === 'object') await turn({ [name]: { ...known, [inner]: json } })
      }),
    )
    await turn({ id: 'e2' })
    assert.equal(bench.bot.received.at(-1)?.id, `teams:${tenant}:a:anna:e2`)
  })
})

describe('agents-hosting as it comes', () => {
  it('lets foreign issuers and service URLs in, so Hone refuses them itself', async () => {
    await using bench = await openBench(lenientAgents)
    const anna = bench.chat()
    const foreign = bench.connector.issuer.token(claims({ iss: 'https://sts.windows.net/other/' }))
    await anna.post({ type: 'message', text: 'let me in' }, foreign)
    await anna.post({ type: 'message', text: 'hi', serviceUrl: 'http://127.0.0.1:1/' })
    await anna.post({ type: 'message', text: 'hi' }, bench.connector.issuer.token(claims({ serviceurl: undefined })))
    await nothingHappened(bench)
    await anna.say('I am real')
    assert.equal((await anna.answered()).activity.text, 'You said: I am real')
  })
})
