import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Logger, silent } from '../../src/log.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import { httpBackend } from '../../src/prompt/backend.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { readValue } from '../../src/prompt/value.ts'
import { createResolve, type Resolvers, type VariableParts } from '../../src/prompt/variables.ts'

const event: Inbound = {
  kind: 'message',
  id: 'e1',
  channel: 'web',
  tenant: 'web',
  thread: 'web:t1',
  text: 'Hello',
  person: { id: 'web:anna/../b?x', name: 'Anna' },
  scopes: [],
  at: new Date('2026-01-02T03:04:05Z'),
}
const using = (declared: string, names: readonly string[]) =>
  parseProfile(
    `---\nname: desk\nvariables:\n  ${declared}\n---\n${names.map((name) => `{{${name}}}`).join(' ')}`,
    'desk.md',
  )
const plan = (settings = 'default: free') => using(`plan: { ${settings} }`, ['plan'])

/** A log that keeps what was said. */
function listening() {
  const said: string[] = []
  const warn: Logger['warn'] = (name, { error, ...fields } = {}) =>
    void said.push(`${name} ${JSON.stringify(fields)} ${error}`)
  return { said, log: { ...silent, warn } }
}

describe('a variable', () => {
  const resolve = (resolvers: Resolvers, profile = plan(), change: Partial<VariableParts> = {}) =>
    createResolve({ resolvers, log: silent, ...change })(profile, event)

  it('is what the host’s function answers, and its default when that throws, rejects or answers what it can’t be', async () => {
    const log = listening()
    const throws = () => {
      throw new Error('down')
    }
    assert.deepEqual(await resolve({ plan: () => 'gold' }), { plan: 'gold' })
    for (const failing of [throws, () => Promise.reject(new Error('down')), () => ({}), () => null, () => undefined])
      assert.deepEqual(await resolve({ plan: failing }, plan(), log), { plan: 'free' })
    assert.equal(log.said.length, 4, 'undefined is a function’s way to say: take the default')
  })

  it('is its default once its time is up, though the function never answers', async () => {
    let given: AbortSignal | undefined
    const hangs = (_: Inbound, signal: AbortSignal) => {
      given = signal
      return new Promise<string>(() => {})
    }
    assert.deepEqual(await resolve({ plan: hangs }, plan('default: free, timeoutMs: 20')), { plan: 'free' })
    assert.equal(given?.aborted, true)
  })

  it('without a default stops the reply, and names neither value nor reason to the person', async () => {
    const failing = { plan: () => Promise.reject(new Error('secret reason')) }
    const refusal = { code: 'VARIABLE', message: "What is needed to answer can't be looked up right now (plan)." }
    await assert.rejects(resolve(failing, plan('required: true')), refusal)
    await assert.rejects(resolve({}, plan('required: true')), refusal)
  })

  it('of 10 MB is cut to 500 characters before anything looks through it', async () => {
    const { plan: value = '' } = await resolve({ plan: () => 'y<'.repeat(5_000_000) })
    assert.equal(value.length, 501)
    assert.doesNotMatch(value, /</)
  })

  it('is asked for only when a text of the profile uses it', async () => {
    const asked: string[] = []
    const profile = using('plan: { default: a }\n  seats: { default: 1, type: number }', ['seats', 'today'])
    const resolvers = { plan: () => asked.push('plan'), seats: () => asked.push('seats') }
    assert.deepEqual(await resolve(resolvers, profile), { seats: '1', today: '2026-01-02' })
    assert.deepEqual(asked, ['seats'])
  })

  it('is kept for its tenant and person as long as it says, and a failure never', async () => {
    let now = 0
    let asked = 0
    const count = () => {
      asked += 1
      if (asked === 1) throw new Error('down')
      return `answer ${asked}`
    }
    const kept = createResolve({ resolvers: { plan: count }, log: silent, now: () => now })
    const profile = plan('default: free, cacheSeconds: 60')
    const values: unknown[] = []
    for (const at of [0, 0, 59_999, 60_000]) {
      now = at
      values.push((await kept(profile, event)).plan)
    }
    assert.deepEqual(values, ['free', 'answer 2', 'answer 2', 'answer 3'])
    await kept(profile, { ...event, tenant: 'other' })
    await kept(profile, { ...event, person: { id: 'web:bob', name: 'Bob' } })
    assert.equal(asked, 5)
  })

  it('fits its type, or fails without telling what it was', () => {
    assert.equal(readValue({ type: 'number' }, ' 12.5 '), '12.5')
    assert.equal(readValue({ type: 'boolean' }, true), 'yes')
    assert.equal(readValue({ type: 'date' }, '2026-02-03T10:00:00Z'), '2026-02-03')
    assert.equal(readValue({ type: 'text', choices: ['a b'] }, ' a\n b '), 'a b')
    const wrong = [
      [{ type: 'number' }, 'secret'],
      [{ type: 'number' }, Number.NaN],
      [{ type: 'boolean' }, 'secret'],
      [{ type: 'date' }, '2026-13-45'],
      [{ type: 'date' }, '2026-01-02 secret'],
      [{ type: 'text' }, { secret: 1 }],
      [{ type: 'text', choices: ['a'] }, 'secret'],
    ] as const
    for (const [kind, raw] of wrong)
      assert.throws(
        () => readValue(kind, raw),
        (error: Error) => /^It is n/.test(error.message) && !/secret/.test(error.message),
      )
  })
})

describe('a variable from the back end', function suite() {
  const open: (() => void)[] = []
  afterEach(() => {
    for (const close of open.splice(0)) close()
  })
  const serving = async (answer: RequestListener): Promise<string> => {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    open.push(() => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`
  }
  const json = (value: unknown): RequestListener => {
    const text = JSON.stringify(value)
    return (_, response) => void response.setHeader('content-type', 'application/json').end(text)
  }
  const from = (settings = '') => plan(`default: free, from: "/people/{{person.id}}", pick: contract.plan${settings}`)

  it('is read with the key from one path, asked once a turn, its parts in place', async () => {
    const asked: unknown[] = []
    const url = await serving((request, response) => {
      asked.push([request.url, request.headers.authorization])
      json({ contract: { plan: 'team', seats: 7 } })(request, response)
    })
    const profile = using(
      'plan: { default: free, from: "/people/{{person.id}}", pick: contract.plan, timeoutMs: 30000 }\n  seats: { type: number, default: 0, from: "/people/{{person.id}}", pick: contract.seats, timeoutMs: 30000 }',
      ['plan', 'seats'],
    )
    const resolve = createResolve({ resolvers: {}, backend: httpBackend({ url, key: 'k' }), log: silent })
    assert.deepEqual(await resolve(profile, event), { plan: 'team', seats: '7' })
    assert.deepEqual(asked, [['/api/people/web%3Aanna%2F..%2Fb%3Fx', 'Bearer k']])
  })

  it('is its default, with the reason but not the answer in the log, whatever comes instead', async () => {
    const secret = { contract: { plan: { secret: 1 } } }
    const wrong: readonly (readonly [RequestListener, RegExp])[] = [
      [(_, response) => void response.writeHead(500).end('secret'), /answered 500/],
      [(_, response) => void response.setHeader('content-type', 'application/json').end('secret {'), /is no JSON/],
      [json({ secret: 1 }), /has no "contract\.plan"/],
      [json(secret), /It is no text/],
      [json('x'.repeat(10_000_000)), /more than 64 KB/],
      [
        (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/secret' }).end(),
        /can’t be asked/,
      ],
      [(request) => request.socket.destroy(), /can’t be asked/],
      [() => {}, /timeout/],
      [(_, response) => void response.writeHead(200).write('secret'), /timeout/],
    ]
    for (const [answer, reason] of wrong) {
      const { said, log } = listening()
      const resolve = createResolve({ resolvers: {}, backend: httpBackend({ url: await serving(answer) }), log })
      const timeoutMs = reason.source === 'timeout' ? 200 : 30_000
      assert.deepEqual(await resolve(from(`, timeoutMs: ${timeoutMs}`), event), { plan: 'free' })
      assert.match(said.join(), reason)
      assert.doesNotMatch(said.join(), /secret/)
    }
  })

  it('is not asked for where the host has a function, whose answer is taken as it is', async () => {
    const backend = () => Promise.reject(new Error('asked'))
    const resolve = createResolve({ resolvers: { plan: () => 'team' }, backend, log: silent })
    assert.deepEqual(await resolve(from(), event), { plan: 'team' })
  })

  it('stays under its path whoever asks', async () => {
    const asked: unknown[] = []
    const url = await serving((request, response) => {
      asked.push(request.url)
      json('team')(request, response)
    })
    const profile = plan('default: free, from: "/people/{{person.name}}", timeoutMs: 30000')
    const resolve = createResolve({ resolvers: {}, backend: httpBackend({ url }), log: silent })
    for (const name of ['..', '.', '', '../admin', '?a=b#c', '\ud800'])
      await resolve(profile, { ...event, person: { id: 'web:x', name } })
    assert.deepEqual(asked, ['/api/people/..%2Fadmin', '/api/people/%3Fa%3Db%23c', '/api/people/%EF%BF%BD'])
  })
})
