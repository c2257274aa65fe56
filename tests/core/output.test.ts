import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type BotOptions, createBot } from '../../src/bot.ts'
import { starterDir } from '../../src/cli/model.ts'
import { llama } from '../../src/engines/llama/index.ts'
import { HoneError } from '../../src/errors.ts'
import { type Logger, silent } from '../../src/log.ts'
import type { Bot, VariablesOf } from '../../src/ports/bot.ts'
import type { Inbound, InboundMessage, ReplyEvent } from '../../src/ports/channel.ts'
import type { ChatMessage, JsonSchema } from '../../src/ports/engine.ts'
import type { BotTurn, Store } from '../../src/ports/store.ts'
import { formOf } from '../../src/prompt/output.ts'
import { parseProfile, readProfile } from '../../src/prompt/profile.ts'
import { fits, longestTokens } from '../../src/prompt/schema.ts'
import { sqlite } from '../../src/store/index.ts'
import { fakeSlot, type Script } from '../fakes/engine.ts'

const declared = `output:
  escalate: { type: boolean, description: a person must take over }
  category: { choices: [billing, bug, other] }
  due: { type: date }
`
const profileOf = (front: string, persona = 'You are Tern.') =>
  parseProfile(`---\nname: support\n${front}---\n${persona}`, 'support.md')
const profile = profileOf(declared)
const values = { escalate: true, category: 'bug', due: '2026-01-31' }
const trial = (schema: JsonSchema) => ('word' in (schema['properties'] as object) ? { word: 'larch' } : undefined)

describe('the key output of a profile', () => {
  const refusal = (front: string) => {
    try {
      profileOf(front)
    } catch (error) {
      return error instanceof HoneError && error.code === 'CONFIG' ? error.message : String(error)
    }
    return 'nothing'
  }

  it('is a small table of variables, or a JSON Schema', () => {
    assert.deepEqual(profile.output, {
      escalate: { description: 'a person must take over', type: 'boolean' },
      category: { enum: ['billing', 'bug', 'other'] },
      due: { type: 'string', format: 'date' },
    })
    const nested = `output:
  type: object
  properties:
    people: { type: array, items: { type: string }, maxItems: 3 }
    where: { type: object, properties: { room: { type: [integer, 'null'] } } }
`
    assert.deepEqual(profileOf(nested).output, {
      people: { type: 'array', items: { type: 'string', maxLength: 200 }, maxItems: 3 },
      where: {
        type: 'object',
        properties: { room: { oneOf: [{ type: 'integer' }, { type: 'null' }] } },
        required: ['room'],
        additionalProperties: false,
      },
    })
  })

  it('says in which line a grammar can’t express what is asked', () => {
    const schema = (line: string) => `output:\n  type: object\n  properties:\n    code:\n      ${line}\n`
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        schema('{ type: string, pattern: "^T" }'),
        /^support\.md, line 7, key ".*pattern": a grammar can't express "pattern"/,
      ],
      [schema('{ allOf: [] }'), /line 6.*code": a type is missing/],
      [schema('{ type: string, format: email }'), /line 7.*knows the formats date, time, date-time/],
      [schema('{ type: array, items: { type: string }, maxItems: 9000 }'), /maxItems": it must be .* from 0 to 50/],
      [schema('{ type: object, properties: {}, additionalProperties: true }'), /a grammar names every property/],
      ['output: { type: string }\n', /line 3.*of type object/],
      ['output:\n  a: { type: boolean, choices: [x] }\n', /line 4.*only a variable of type text has "choices"/],
      ['output:\n  a: {}\n  b: { typo: 1 }\n', /line 5, key "output\.b\.typo": it is not known/],
      ['output:\n  "a b": {}\n', /line 4.*use letters, digits/],
      ['output: {}\n', /line 3.*declare 1 to 16 variables/],
    ]
    for (const [front, expected] of cases) assert.match(refusal(front), expected)
  })

  it('is inherited variable by variable, and comes back from the store as it was', async () => {
    const file = join(import.meta.dirname, '../../examples/support/support.md')
    const read = await readProfile(file)
    assert.deepEqual(parseProfile(read.source, 'kept').output, read.output)
  })

  it('knows what fits and what doesn’t', () => {
    const form = formOf(profile.output)
    const wrong = [null, {}, { ...values, due: '2026-02-31' }, { ...values, more: 1 }, { ...values, category: 'x' }]
    assert.equal(fits(form, values), true)
    for (const one of [...wrong, { ...values, escalate: 'true' }])
      assert.equal(fits(form, one), false, JSON.stringify(one))
    assert.equal(fits({ type: 'string', maxLength: 2 }, '🙂🙂'), true)
    assert.equal(fits({ type: 'array', items: { type: 'integer' }, maxItems: 1 }, [1, 2]), false)
  })
})

describe('output variables', () => {
  let store: Store
  let bots: Bot[]
  beforeEach(async () => {
    store = await sqlite(':memory:')
    bots = []
  })
  afterEach(async () => {
    for (const bot of bots) await bot[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
  const asked: (readonly ChatMessage[])[] = []
  const start = async (script: Partial<Script> = {}, change: Partial<BotOptions> = {}) => {
    asked.length = 0
    const fill: NonNullable<Script['fill']> = (prompt, schema, signal) => {
      if (trial(schema)) return trial(schema)
      asked.push(prompt)
      return script.fill ? script.fill(prompt, schema, signal) : values
    }
    const slot = fakeSlot({ id: 'v0', base: 'scripted' }, { ...script, fill })
    const bot = await createBot({ store, slot, profile, log: silent, ...change })
    bots.push(bot)
    const told: (readonly [unknown, VariablesOf])[] = []
    bot.on('variables', (...what) => void told.push(what))
    return { bot, told }
  }
  const say = async (bot: Bot, text: string) => {
    const said: ReplyEvent[] = []
    for await (const event of bot.ask(text, { thread: 'api:t' })) said.push(event)
    return { said, turn: (await store.turns.history('api:t', 9)).at(-1) as BotTurn }
  }

  it('are handed to the host and kept with the reply, which streams as always', async () => {
    const { bot, told } = await start()
    const { said, turn } = await say(bot, 'It is broken')
    assert.deepEqual(
      said.map(({ kind }) => kind),
      ['status', 'delta', 'done'],
    )
    assert.deepEqual(turn.output, { values })
    const person = { id: 'api:someone', name: 'someone' }
    const { channel, ...of } = told[0]?.[1] ?? assert.fail('nothing was told')
    assert.deepEqual([told.length, told[0]?.[0], channel.startsWith('api')], [1, values, true])
    assert.deepEqual(of, { turn: turn.id, thread: 'api:t', tenant: 'api', person })
    assert.deepEqual((await bot.why(turn.id)).turn.output, { values })
  })

  it('are asked behind all that the thread keeps, so nothing is read twice', async () => {
    const { bot } = await start()
    const first = await say(bot, 'It is broken')
    const second = await say(bot, 'And now?')
    const prompt = await store.turns.prompt(first.turn.prompt)
    assert.deepEqual(asked[0]?.slice(0, -1), [...prompt, { role: 'assistant', content: 'Yes.' }])
    assert.match(
      asked[0]?.at(-1)?.content ?? '',
      /- escalate: true or false \(a person must take over\)\n- category: "billing" or/,
    )
    assert.deepEqual((await store.turns.prompt(second.turn.prompt)).slice(0, prompt.length + 1), asked[0]?.slice(0, -1))
    assert.doesNotMatch(JSON.stringify(await store.turns.prompt(second.turn.prompt)), /Fill in this form/)
  })

  it('never cost the reply: what can’t be read is recorded, logged without a word of it, and not handed on', async () => {
    const logged: string[] = []
    const log: Logger = { ...silent, warn: (event, fields) => void logged.push(`${event} ${JSON.stringify(fields)}`) }
    const bad = [
      () => ({ ...values, category: 'my secret' }),
      () => 'my secret',
      () => {
        throw new HoneError('NETWORK', 'The server is gone.')
      },
    ]
    for (const [index, fill] of bad.entries()) {
      const { bot, told } = await start({ fill }, { log })
      const { said, turn } = await say(bot, `my secret ${index}`)
      assert.deepEqual([said.at(-1)?.kind, turn.text, told.length], ['done', 'Yes.', 0])
      assert.deepEqual(turn.output, { failed: index === 2 ? 'NETWORK' : 'ENGINE_FAILED' })
    }
    assert.equal(logged.filter((line) => line.startsWith('output.failed')).length, 3)
    assert.doesNotMatch(logged.join(), /secret/)
  })

  it('give way when the person stops the reply, which is kept', async () => {
    const stopped = Promise.withResolvers<void>()
    const { bot, told } = await start({
      fill: (_, __, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new HoneError('CANCELLED', 'It was stopped.')))
          stopped.resolve()
        }),
    })
    const stop = new AbortController()
    void stopped.promise.then(() => stop.abort())
    for await (const _ of bot.ask('Hello', { thread: 'api:t', signal: stop.signal }));
    const turn = (await store.turns.history('api:t', 9)).at(-1) as BotTurn
    assert.deepEqual([turn.text, turn.output, told.length], ['Yes.', { failed: 'CANCELLED' }, 0])
  })

  it('are told again with a reply that a crash left unsettled', async () => {
    const event: InboundMessage = {
      ...{ kind: 'message', id: 'e1', channel: 'web', tenant: 'web', thread: 'web:t', text: 'Hello', at: new Date() },
      ...{ person: { id: 'web:anna', name: 'Anna' }, scopes: [] },
    }
    const { bot: first, told: before } = await start()
    const delivering = Promise.withResolvers<void>()
    const cut = Promise.withResolvers<never>()
    const channel = { name: 'web', deliver: (_: Inbound, __: AsyncIterable<ReplyEvent>) => Promise.resolve([]) }
    const detach = first.attach({ ...channel, deliver: () => cut.promise })
    await first.receive(event)
    first.on('variables', () => delivering.resolve())
    await delivering.promise
    detach()
    cut.reject(new Error('the process died'))
    await first[Symbol.asyncDispose]()
    assert.equal((await store.inbox.unsettled()).length, 1)
    const { bot: second, told } = await start()
    const settled = Promise.withResolvers<void>()
    second.on('variables', () => settled.resolve())
    second.attach(channel)
    await settled.promise
    await second[Symbol.asyncDispose]()
    assert.deepEqual([before.length, told.length, asked.length], [1, 1, 0])
    assert.equal(told[0]?.[1].turn, before[0]?.[1].turn)
    assert.deepEqual(await store.inbox.unsettled(), [])
  })

  it('go on to the other handlers when one throws, and to none that was taken away', async () => {
    const { bot, told } = await start()
    bot.on('variables', () => {
      throw new Error('no')
    })
    const off = bot.on('variables', () => assert.fail('it was taken away'))
    off()
    await say(bot, 'Hello')
    assert.equal(told.length, 1)
  })

  it('are refused at the start, and when promoted, where the engine can’t be held to a schema', async () => {
    const cannot =
      /support has output variables, which need an engine that can be held to a schema: This engine has no way/
    const none = fakeSlot({ id: 'v0', base: 'scripted' }, {})
    await assert.rejects(createBot({ store, slot: none, profile, log: silent }), { code: 'CONFIG', message: cannot })
    const heedless = fakeSlot({ id: 'v0', base: 'scripted' }, { fill: () => ({ word: 'cat' }) })
    await assert.rejects(createBot({ store, slot: heedless, profile, log: silent }), /answered something else/)
    const bot = await createBot({ store, slot: none, profile: profileOf(''), log: silent })
    bots.push(bot)
    await store.profiles.put('support', profile.version, profile.source)
    const place = { tenant: 'web', channel: 'web', thread: 'web:t', person: { id: 'web:a', name: 'A' }, admin: true }
    const { ok, text } = await bot.command({ text: `profile promote ${profile.version} confirm`, ...place })
    assert.deepEqual([ok, cannot.test(text)], [false, true])
  })

  it('never make a duel of a reply that a program acts on', async () => {
    let replies = 0
    const answer = () => ({ text: `Answer ${++replies}` })
    const { bot } = await start({ answer }, { duelRate: 1 })
    const { said } = await say(bot, 'Hello')
    assert.deepEqual([said.at(-1)?.kind, replies], ['done', 1])
  })

  it('always fit their schema on the starter model, with little more to read', async function real() {
    await using host = llama({ modelPath: join(starterDir, 'starter.gguf'), log: silent, gpu: false })
    await using engine = await host.load({ id: 'v0', base: join(starterDir, 'starter.gguf') })
    const slot = { ...fakeSlot(engine.version, {}), use: <T>(work: (one: typeof engine) => Promise<T>) => work(engine) }
    const more = '  hours: { type: number }\nsampling: { maxTokens: 48 }\n'
    const bot = await createBot({ store, slot, profile: profileOf(declared + more), log: silent })
    bots.push(bot)
    const form = formOf(profileOf(declared + more).output)
    for (const text of ['How long are backups kept?', '{"escalate": maybe} Réponds 🙂']) {
      const { turn } = await say(bot, text)
      assert.ok(turn.output && 'values' in turn.output, JSON.stringify(turn.output))
      assert.ok(fits(form, turn.output.values), JSON.stringify(turn.output.values))
    }
    const prompt = [...(asked[0] ?? []), { role: 'user', content: 'Hello' }] as const
    const options = { cacheKey: 'once', maxTokens: 2 * longestTokens(form) }
    const { usage } = (await engine.fill?.(prompt, form, options)) ?? assert.fail()
    const again =
      (await engine.fill?.([...prompt, { role: 'assistant', content: 'Hi' }], form, options)) ?? assert.fail()
    assert.ok(again.usage.evaluated < usage.prompt, `${again.usage.evaluated} of ${again.usage.prompt}`)
  })
})
