import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shopBackend } from '../../examples/shop/backend.ts'
import { createBot } from '../../src/bot.ts'
import { packageRoot } from '../../src/cli/model.ts'
import { childEnvironment } from '../../src/config.ts'
import { echo } from '../../src/engines/echo.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Reply } from '../../src/ports/channel.ts'
import type { JsonSchema, Version } from '../../src/ports/engine.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import { httpBackend } from '../../src/prompt/backend.ts'
import { type Profile, readProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'

const folder = join(packageRoot, 'examples', 'shop')
const v0: Version = { id: 'v0', base: 'echo' }
const usage = { prompt: 1, evaluated: 1, completion: 1 }
const monday = new Date('2026-05-11T08:00:00Z')
const sunday = new Date('2026-05-10T08:00:00Z')

/** The profile with time for a machine that is busy. */
function unhurried(profile: Profile): Profile {
  const patient = <T extends object>(table: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(table).map(([name, one]) => [name, { ...one, timeoutMs: 120_000 }]))
  return { ...profile, variables: patient(profile.variables), tools: patient(profile.tools) }
}

/** What is chosen and filled in where a test wants a tool, and which tools were offered. */
interface Choice {
  tool: string
  number: number
  offered: unknown
}

describe('the sample shop profile', () => {
  let server: Server
  let asked: string[]
  let stack: AsyncDisposableStack
  let choice: Choice
  let bot: Bot
  let told: unknown[]
  const waiting = new Map<string, PromiseWithResolvers<Reply>>()

  /** Fills in the trial form, the choice of a tool, its arguments, and the output variables. */
  const fill = (schema: JsonSchema): unknown => {
    const properties = schema['properties'] as Record<string, JsonSchema>
    if (properties['word']) return { word: 'larch' }
    if (properties['order.status']) return { 'order.status': choice.number === 1001 ? 'sent' : 'none', handover: false }
    if (properties['number']) return { number: choice.number }
    choice.offered = properties['tool']?.['enum']
    const { tool } = choice
    choice.tool = 'none'
    return { tool }
  }
  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    choice = { tool: 'none', number: 1001, offered: [] }
    asked = []
    told = []
    server = shopBackend('k').listen(0, '127.0.0.1')
    server.on('request', ({ method, url }) => asked.push(`${method} ${url}`))
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const load = async (version: Version) => ({
      ...echo({ version }),
      fill: async (_: unknown, schema: JsonSchema) => ({ value: fill(schema), usage }),
    })
    const store = stack.use(await sqlite(':memory:'))
    const slot = stack.use(await createSlot({ load, first: v0, log: silent }))
    const profile = unhurried(await readProfile(join(folder, 'shop.md')))
    bot = stack.use(await createBot({ store, slot, profile, backend: httpBackend({ url, key: 'k' }), log: silent }))
    bot.on('variables', (values, { person }) => told.push([values, person.id]))
    bot.attach({
      name: 'web',
      async deliver(event, events) {
        for await (const one of events) {
          if (one.kind === 'done') waiting.get(event.id)?.resolve(one.reply)
          if (one.kind === 'error') waiting.get(event.id)?.reject(new Error(one.message))
        }
        return []
      },
    })
  })
  afterEach(async () => {
    await stack.disposeAsync()
    server.close()
    server.closeAllConnections()
  })

  let count = 0
  /** Says something to the shop; answers the reply, its turn and its prompt in words. */
  const say = async (text: string, { person = 'web:anna', at = monday, admin = false } = {}) => {
    const id = `shop:${++count}`
    const reply = Promise.withResolvers<Reply>()
    waiting.set(id, reply)
    const place = { channel: 'web', tenant: 'web', thread: `web:${person}`, scopes: [], at, admin }
    await bot.receive({ kind: 'message', id, text, person: { id: person, name: 'Anna' }, ...place })
    const turn = (await bot.store.turns.get((await reply.promise).turn)) as BotTurn
    const prompt = await bot.store.turns.prompt(turn.prompt)
    return { turn, prompt: prompt.map(({ role, content }) => `${role}: ${content}`).join('\n') }
  }

  it('knows from its back end when it is open, on whichever day it is asked', async () => {
    const first = await say('When do you open today?')
    assert.match(first.prompt, /^system: You are Wren/)
    assert.match(first.prompt, /You help <person\.name>\. Today is 2026-05-11\. The shop is open today <shop\.hours>\./)
    assert.match(first.prompt, /<facts>\nperson\.name: Anna\nshop\.hours: from 9 to 18\n<\/facts>/)
    const { prompt } = await say('And today?', { at: sunday })
    assert.match(prompt, /<facts>\ntoday: 2026-05-10\nshop\.hours: not at all, it is Sunday\n<\/facts>\n\nAnd today\?/)
    assert.deepEqual(asked, ['GET /hours/2026-05-11', 'GET /hours/2026-05-10'])
  })

  it('looks an order up for whose it is, and hands its status to the shop’s program as a typed variable', async () => {
    choice.tool = 'order_status'
    const { prompt, turn } = await say('Where is my order 1001?')
    assert.match(
      prompt,
      /<results>\norder_status: \{"number":1001,"status":"sent","arrives":"2026-05-12"\}\n<\/results>/,
    )
    assert.deepEqual(turn.output, { values: { 'order.status': 'sent', handover: false } })
    assert.deepEqual(told, [[{ 'order.status': 'sent', handover: false }, 'web:anna']])
    assert.ok(asked.includes('POST /people/web%3Aanna/orders'))
  })

  it('tells nobody of another person’s order', async () => {
    Object.assign(choice, { tool: 'order_status', number: 1002 })
    const { prompt, turn } = await say('Where is order 1002?')
    assert.deepEqual(
      turn.tools?.map(({ state }) => state),
      ['failed'],
    )
    assert.match(prompt, /<results>\norder_status: it failed: .*404/)
    assert.doesNotMatch(prompt, /packed/)
  })

  it('offers refunds to the people of the shop alone, and gives one once, after a yes', async () => {
    choice.tool = 'refund'
    const refused = await say('Give me my money back for 1001!')
    assert.deepEqual([choice.offered, refused.turn.tools], [['none', 'order_status'], undefined])
    choice.tool = 'refund'
    const { turn } = await say('Refund order 1001.', { admin: true })
    assert.match(turn.text, /^May I use \*\*refund\*\*\?\n- number: 1001/)
    assert.ok(!asked.some((one) => one.endsWith('/refunds')))
    const done = await say('yes', { admin: true })
    assert.match(done.prompt, /refund: \{"refund":"R-1","number":1001\}/)
    assert.equal(asked.filter((one) => one.endsWith('/refunds')).length, 1)
  })

  it('speaks to a person as they like it', async () => {
    assert.match((await say('Hello')).prompt, /\nBe warm and brief\.\n/)
    const { prompt } = await say('Hello', { person: 'web:nils' })
    assert.match(prompt, /\nBe matter-of-fact\. No small talk\.\n/)
    assert.doesNotMatch(prompt, /Be warm/)
  })

  it('passes its cases on the starter model', async function cases() {
    this.timeout(600_000)
    const dir = mkdtempSync(join(tmpdir(), 'hone-shop-test-'))
    const command = [join(packageRoot, 'src', 'main.ts'), 'profile', 'test', join(folder, 'cases.yaml'), '--json']
    const env = childEnvironment({ HONE_DATA: join(dir, 'data') })
    try {
      const run = new Promise<string>((resolve, reject) =>
        execFile(process.execPath, command, { cwd: dir, env }, (error, stdout, stderr) =>
          error ? reject(new Error(stderr)) : resolve(stdout),
        ),
      )
      const { passed, failed } = JSON.parse(await run)
      assert.deepEqual([passed, failed], [3, 0])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
