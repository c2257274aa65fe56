import assert from 'node:assert/strict'
import { type BotOptions, createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { HoneError } from '../../src/errors.ts'
import { createLimit } from '../../src/limit.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Channel, Inbound, InboundMessage, Reply, ReplyEvent } from '../../src/ports/channel.ts'
import type { Engine, EngineSlot, Version } from '../../src/ports/engine.ts'
import type { Knowledge, Passage } from '../../src/ports/knowledge.ts'
import type { Store } from '../../src/ports/store.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'

const profile = parseProfile('---\nname: desk\npassages: 2\n---\nYou are Hazel.', 'desk.md')
const v0: Version = { id: 'v0', base: 'echo' }

/** A channel that keeps what it was told. */
function page() {
  const told: { readonly event: Inbound; readonly said: ReplyEvent[] }[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  const channel: Channel = {
    name: 'web',
    duels: true,
    async deliver(event, events) {
      const said: ReplyEvent[] = []
      for await (const one of events) said.push(one)
      told.push({ event, said })
      for (const { count, resolve } of waiting) if (told.length >= count) resolve()
      return [{ thread: event.thread, id: `m${told.length}` }]
    },
  }
  const delivered = (count: number): Promise<void> =>
    told.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))
  return { channel, told, delivered }
}

const place = { channel: 'web', tenant: 'web', thread: 'web:t1', person: { id: 'web:anna', name: 'Anna' }, scopes: [] }
const message = (id: string, text: string, change: Partial<InboundMessage> = {}): InboundMessage => ({
  kind: 'message',
  id,
  text,
  at: new Date(),
  ...place,
  ...change,
})

function last(said: readonly ReplyEvent[] | undefined): Reply {
  const event = said?.at(-1)
  assert.ok(event?.kind === 'done', `the last event is ${event?.kind}`)
  return event.reply
}

describe('the bot', () => {
  let store: Store
  let slot: EngineSlot
  const open: AsyncDisposable[] = []
  const start = async (change: Partial<BotOptions> = {}): Promise<Bot> => {
    const bot = await createBot({ store, slot, profile, log: silent, ...change })
    open.push(bot)
    return bot
  }
  /** A bot with a page, after it has answered some messages of one thread. */
  const talk = async (texts: readonly string[], change: Partial<BotOptions> = {}) => {
    const { channel, told, delivered } = page()
    const bot = await start(change)
    bot.attach(channel)
    for (const [n, text] of texts.entries()) await bot.receive(message(`e${n + 1}`, text))
    await delivered(texts.length)
    return { bot, told, delivered }
  }

  beforeEach(async () => {
    store = await sqlite(':memory:')
    slot = await createSlot({ load: async (version) => echo({ version }), first: v0, log: silent })
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
    await slot[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  it('tells the meter of each reply, and of the queue until it is empty', async () => {
    const replies: unknown[] = []
    const sizes: number[] = []
    const meter: BotOptions['meter'] = {
      queue: (size) => sizes.push(size),
      reply: ({ thread, turns, code }) => replies.push([thread, turns.length, code]),
    }
    const { bot } = await talk(['Hello there', 'And again'], { meter })
    await bot[Symbol.asyncDispose]()
    assert.deepEqual(replies, Array(2).fill(['web:t1', 1, undefined]))
    assert.deepEqual([Math.max(...sizes) >= 1, sizes.at(-1)], [true, 0])
  })

  it('answers a message, keeps both turns, and finds the reply by its platform message', async () => {
    const { bot, told } = await talk(['Hello there'])
    await bot[Symbol.asyncDispose]()
    const reply = last(told[0]?.said)
    assert.match(reply.text, /Hello there/)
    assert.deepEqual(
      (await store.turns.history('web:t1', 9)).map(({ role }) => role),
      ['user', 'assistant'],
    )
    assert.equal((await store.messages.find({ thread: 'web:t1', id: 'm1' }))?.id, reply.turn)
    assert.deepEqual(await store.inbox.unsettled(), [])
  })

  it('settles a reply that nobody could be shown as given up, and keeps it', async () => {
    const { channel, delivered } = page()
    const settled: unknown[] = []
    const inbox: Store['inbox'] = {
      ...store.inbox,
      async settle(...how) {
        settled.push(how)
        return store.inbox.settle(...how)
      },
    }
    const codes: unknown[] = []
    const meter: BotOptions['meter'] = { queue: () => undefined, reply: ({ code }) => codes.push(code) }
    const bot = await start({ store: { ...store, inbox }, meter })
    bot.attach({
      ...channel,
      async deliver(event, events) {
        await channel.deliver(event, events)
        throw new HoneError('UNDELIVERED', 'The channel was deleted.')
      },
    })
    await bot.receive(message('e1', 'Hello'))
    await delivered(1)
    await bot[Symbol.asyncDispose]()
    assert.deepEqual(settled, [['e1', 'given-up', 'UNDELIVERED']])
    assert.deepEqual(codes, ['UNDELIVERED'])
    assert.equal((await store.turns.history('web:t1', 9)).length, 2)
  })

  it('leaves what a channel could not show before it was detached to the next start', async () => {
    const { channel, delivered } = page()
    const bot = await start()
    const detach = bot.attach({
      ...channel,
      async deliver(event, events) {
        await channel.deliver(event, events)
        detach()
        throw new HoneError('UNDELIVERED', 'The network is gone.')
      },
    })
    await bot.receive(message('e1', 'Hello'))
    await delivered(1)
    await bot[Symbol.asyncDispose]()
    assert.equal((await store.inbox.unsettled()).length, 1)
  })

  it('takes no more questions of one person in a minute than it is told to, and none of them twice', async () => {
    const bot = await start({ limits: { questions: 2 } })
    const { channel, delivered } = page()
    bot.attach(channel)
    await bot.receive(message('e1', 'one'))
    await bot.receive(message('e2', 'two'))
    const refused = { code: 'LIMIT', message: /more than 2 questions in a minute\. Go on in \d+ s\./ }
    await assert.rejects(bot.receive(message('e3', 'three')), refused)
    assert.equal(await bot.receive(message('e3', 'three')), 'duplicate')
    assert.equal(await bot.receive(message('e1', 'one')), 'duplicate')
    await bot.receive(message('e4', 'four', { person: { id: 'web:bob', name: 'Bob' } }))
    // Written an hour ago, while nothing ran.
    await bot.receive(message('e5', 'five', { at: new Date(Date.now() - 3_600_000) }))
    await delivered(4)
  })

  it('takes no more votes and commands of one person in a minute than it is told to', async () => {
    const { bot, told } = await talk(['Hello'], { limits: { presses: 2 } })
    const { turn } = last(told[0]?.said)
    const { person, tenant } = place
    const vote = (verdict: 'up' | 'down') => bot.feedback({ kind: 'vote', turn, verdict, person, tenant })
    await vote('up')
    const command = () => bot.command({ text: 'help', admin: false, ...place })
    assert.equal((await command()).ok, true)
    assert.match((await command()).text, /more than 2 votes and commands in a minute/)
    await assert.rejects(vote('down'), { code: 'LIMIT' })
    assert.equal((await store.feedback.ofTurn(turn)).votes[0]?.verdict, 'up')
  })

  it('counts again when the minute is over', () => {
    let now = 0
    const limit = createLimit(1, 'questions', () => now)
    limit.take('anna')
    now = 59_000
    assert.throws(() => limit.take('anna'), /Go on in 1 s/)
    now = 60_000
    limit.take('anna')
  })

  it('answers a redelivered event once', async () => {
    const { channel, told, delivered } = page()
    const bot = await start()
    bot.attach(channel)
    const answers = await Promise.all([1, 2, 3].map(() => bot.receive(message('e1', 'Hello'))))
    assert.deepEqual(answers.toSorted(), ['accepted', 'duplicate', 'duplicate'])
    await delivered(1)
    await bot[Symbol.asyncDispose]()
    assert.equal(told.length, 1)
  })

  it('answers after a restart what was acknowledged before', async () => {
    const first = await start()
    await first.receive(message('e1', 'Hello'))
    await first[Symbol.asyncDispose]()
    assert.equal((await store.inbox.unsettled()).length, 1)
    const { channel, told, delivered } = page()
    const second = await start()
    second.attach(channel)
    await delivered(1)
    assert.match(last(told[0]?.said).text, /Hello/)
  })

  it('tells a reply again, without another one, when a crash came between keeping and settling', async () => {
    await store.inbox.claim(message('e1', 'Hello'))
    const { scopes: _, person, ...where } = place
    await store.turns.appendUser({
      id: 'u1',
      role: 'user',
      parent: null,
      text: 'Hello',
      at: new Date(),
      person: person.id,
      event: 'e1',
      ...where,
    })
    const usage = { prompt: 1, evaluated: 1, completion: 1 }
    const kept = {
      id: 'b1',
      role: 'assistant',
      parent: 'u1',
      text: 'Kept',
      at: new Date(),
      version: 'v0',
      profile: 'p',
      prompt: [],
      sources: [],
      usage,
    } as const
    await store.turns.appendBot([{ ...kept, ...where }], 'e1')
    const { channel, told, delivered } = page()
    const bot = await start()
    bot.attach(channel)
    await delivered(1)
    assert.equal(last(told[0]?.said).text, 'Kept')
    assert.equal((await store.turns.history('web:t1', 9)).length, 2)
  })

  it('keeps the order within a thread', async () => {
    const { told } = await talk(['One', 'Two', 'Three'])
    assert.deepEqual(
      told.map(({ event }) => event.id),
      ['e1', 'e2', 'e3'],
    )
    assert.equal((await store.turns.history('web:t1', 9)).length, 6)
  })

  it('answers a retry from the stored prompt, as a sibling', async () => {
    const { bot, told, delivered } = await talk(['Hello'])
    const { turn } = last(told[0]?.said)
    await bot.receive({ kind: 'retry', id: 'e2', turn, at: new Date(), ...place })
    await delivered(2)
    const [a, b] = await Promise.all([turn, last(told[1]?.said).turn].map((id) => store.turns.get(id)))
    assert.ok(a?.role === 'assistant' && b?.role === 'assistant')
    assert.deepEqual([b.parent, b.prompt], [a.parent, a.prompt])
    assert.notEqual(a.id, b.id)
  })

  it('shows one reply, not a duel, when both came out the same', async () => {
    const { told } = await talk(['Hello'], { duelRate: 1 })
    assert.equal(told[0]?.said.at(-1)?.kind, 'done')
  })

  it('goes on from the side of a duel that was chosen', async () => {
    let count = 0
    const varied: Engine = {
      version: v0,
      contextTokens: 1000,
      async [Symbol.asyncDispose]() {},
      async *generate() {
        count += 1
        yield { kind: 'text', text: `Answer ${count}` }
        yield { kind: 'end', reason: 'stop', usage: { prompt: 1, evaluated: 1, completion: 1 } }
      },
    }
    await slot[Symbol.asyncDispose]()
    slot = await createSlot({ load: async () => varied, first: v0, log: silent })
    const rolls = [0, 1]
    const { bot, told, delivered } = await talk(['Hello'], { duelRate: 0.5, random: () => rolls.shift() ?? 1 })
    const duel = told[0]?.said.at(-1)
    assert.ok(duel?.kind === 'duel')
    const { tenant, person } = place
    await bot.feedback({ kind: 'duel', duel: duel.duel, outcome: 'left', tenant, person })
    await bot.receive(message('e2', 'And now?'))
    await delivered(2)
    const history = await store.turns.history('web:t1', 9)
    assert.deepEqual(
      history.map(({ text }) => text),
      ['Hello', duel.left.text, 'And now?', 'Answer 3'],
    )
  })

  it('samples the second answer of a duel more freely, and shows it on either side', async () => {
    const warm: Engine = {
      version: v0,
      contextTokens: 1000,
      async [Symbol.asyncDispose]() {},
      async *generate(_, { temperature } = {}) {
        yield { kind: 'text', text: `At ${temperature}` }
        yield { kind: 'end', reason: 'stop', usage: { prompt: 1, evaluated: 1, completion: 1 } }
      },
    }
    await slot[Symbol.asyncDispose]()
    slot = await createSlot({ load: async () => warm, first: v0, log: silent })
    const { told } = await talk(
      Array.from({ length: 30 }, (_, n) => `Question ${n}`),
      { duelRate: 1 },
    )
    const sides = told.map(({ said }) => {
      const duel = said.at(-1)
      assert.ok(duel?.kind === 'duel')
      assert.deepEqual([duel.left.text, duel.right.text].toSorted(), ['At 0.7', 'At 0.9'])
      return duel.left.text
    })
    assert.equal(new Set(sides).size, 2)
  })

  it('takes votes of the same tenant only', async () => {
    const { bot, told } = await talk(['Hello'])
    const { turn } = last(told[0]?.said)
    const vote = { kind: 'vote', turn, verdict: 'up', person: place.person } as const
    await assert.rejects(bot.feedback({ ...vote, tenant: 'slack' }), { code: 'FEEDBACK' })
    await bot.feedback({ ...vote, tenant: 'web' })
    assert.equal((await bot.why(turn)).votes.length, 1)
  })

  it('keeps the same correction that is sent twice once', async () => {
    const { bot, told } = await talk(['Hello'])
    const { turn } = last(told[0]?.said)
    const correct = (text: string) =>
      bot.feedback({ kind: 'correction', turn, text, person: place.person, tenant: 'web' })
    for (const text of ['Better.', ' Better. ', 'Best.', 'Better.']) await correct(text)
    const { corrections } = await store.feedback.ofTurn(turn)
    assert.deepEqual(
      corrections.map(({ text }) => text),
      ['Better.', 'Best.', 'Better.'],
    )
  })

  it('refuses an empty and an endless message and says what to do', async () => {
    const bot = await start()
    for (const text of ['', '  \n', 'x'.repeat(1_000_000)]) {
      await assert.rejects(
        bot.receive(message('e1', text)),
        (error) => error instanceof HoneError && error.code === 'INPUT',
      )
    }
    assert.deepEqual(await store.inbox.unsettled(), [])
  })

  it('tells a person when a reply fails, and gives the event up', async () => {
    const broken: Engine = {
      version: v0,
      contextTokens: 1000,
      async [Symbol.asyncDispose]() {},
      // biome-ignore lint/correctness/useYield: it fails before it says anything
      async *generate() {
        throw new HoneError('ENGINE_FAILED', 'The engine has stopped.')
      },
    }
    await slot[Symbol.asyncDispose]()
    slot = await createSlot({ load: async () => broken, first: v0, log: silent })
    const { bot, told } = await talk(['Hello'])
    await bot[Symbol.asyncDispose]()
    const end = told[0]?.said.at(-1)
    assert.ok(end?.kind === 'error' && /engine has stopped/.test(end.message))
    assert.deepEqual(await store.inbox.unsettled(), [])
    assert.deepEqual(
      (await store.turns.history('web:t1', 9)).map(({ text }) => text),
      ['Hello'],
    )
  })

  it('asks for passages with the asker’s tenant and scopes, and shows the sources that the reply cites', async () => {
    const asked: unknown[] = []
    const passage: Passage = { id: 'p', document: 'd.md', title: 'Vacation', text: '25 days.', score: 1 }
    const knowledge = {
      async search(query: string, { tenant, scopes }: { tenant: string; scopes: readonly string[] }) {
        asked.push([query, tenant, scopes])
        return [passage]
      },
    } as unknown as Knowledge
    const { told } = await talk(['Please repeat the source [1] after me'], { knowledge })
    assert.deepEqual(asked, [['Please repeat the source [1] after me', 'web', []]])
    assert.deepEqual(
      last(told[0]?.said).sources.map(({ title }) => title),
      ['Vacation'],
    )
  })

  for (const [cutoff, shown] of [
    [0, ['At 4', 'At 3', 'At 2.9']],
    [0.75, ['At 4', 'At 3']],
  ] as const) {
    it(`shows the model the passages that score at least ${cutoff} of the best one's score`, async () => {
      const passage = (score: number): Passage => ({
        id: `p${score}`,
        document: 'd.md',
        title: `At ${score}`,
        text: 'x',
        score,
      })
      const knowledge = { search: async () => [4, 3, 2.9].map(passage) } as unknown as Knowledge
      const { told } = await talk(['Hello'], { knowledge, profile: { ...profile, cutoff } })
      const sources = told[0]?.said.flatMap((one) => (one.kind === 'source' ? [one.source.title] : []))
      assert.deepEqual(sources, shown)
    })
  }

  it('tells the model the sentences nearest to what is searched for, of the passages that are left, if the profile wants any', async () => {
    const passage = (score: number): Passage => ({
      id: `${score}`,
      document: 'd.md',
      title: 'T',
      text: `At ${score}.`,
      score,
    })
    const asked: unknown[] = []
    const knowledge = {
      search: async () => [4, 3, 1].map(passage),
      async highlight(query: string, passages: readonly Passage[], { most }: { most: number }) {
        asked.push([query, passages.map(({ text }) => text), most])
        return passages.map((one) => ({ passage: one, text: one.text })).slice(0, 1)
      },
    } as unknown as Knowledge
    const wanting = { ...profile, cutoff: 0.75, highlights: 2 }
    const { told } = await talk(['Is there any milk?', 'And now?'], { knowledge, profile: wanting })
    assert.deepEqual(asked, [
      ['Is there any milk?', ['At 4.', 'At 3.'], 2],
      ['And now? And now? And now? Is there any milk?', ['At 4.', 'At 3.'], 2],
    ])
    const turn = await store.turns.get(last(told[1]?.said).turn)
    const prompt = turn?.role === 'assistant' ? await store.turns.prompt(turn.prompt) : []
    assert.equal(prompt.at(-1)?.content, 'Nearest:\nAt 4. [1]\n\nAnd now?')
    await talk(['Any more?'], { knowledge, profile })
    assert.equal(asked.length, 2)
  })

  it('answers a program without a channel, through the same path', async () => {
    const bot = await start()
    const events: ReplyEvent[] = []
    for await (const event of bot.ask('Hello program')) events.push(event)
    assert.match(last(events).text, /Hello program/)
    assert.equal((await store.turns.get(last(events).turn))?.tenant, 'api')
    const nothing = bot.ask(' ')[Symbol.asyncIterator]()
    await assert.rejects(nothing.next(), { code: 'INPUT' })
  })

  it('answers commands: help for everyone, admin commands for admins, unknown ones politely', async () => {
    const bot = await start()
    const ask = (text: string, admin = false) => bot.command({ text, admin, ...place })
    assert.doesNotMatch((await ask('help')).text, /retrain/)
    assert.match((await ask('help', true)).text, /retrain/)
    assert.match((await ask('retrain')).text, /for admins/)
    assert.match((await ask('constructor')).text, /no command/)
    assert.match((await ask('status')).text, /\*\*v0\*\* serves/)
    assert.match((await ask('retrain', true)).text, /without training/)
  })
})
