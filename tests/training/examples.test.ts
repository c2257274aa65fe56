import assert from 'node:assert/strict'
import { createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { silent } from '../../src/log.ts'
import type { Person, ReplyEvent } from '../../src/ports/channel.ts'
import type { ChatMessage } from '../../src/ports/engine.ts'
import type { Passage } from '../../src/ports/knowledge.ts'
import type { BotTurn, Store } from '../../src/ports/store.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'
import { createExamples, taughtBy } from '../../training/index.ts'
import { hashEmbedder } from '../fakes/hash-embedder.ts'
import { openHouse } from './house.ts'

const anna = { person: { id: 'web:anna', name: 'Anna' }, thread: 'web:a' }
const bob = { person: { id: 'web:bob', name: 'Bob' }, thread: 'web:b' }
const question = 'How many days of vacation do I get?'
const better = 'You get 25 days [1].'
const passage: Passage = {
  id: 'p',
  document: 'leave.md',
  title: 'Leave',
  text: 'Everyone gets 25 days of vacation.',
  score: 1,
}

interface Asked {
  readonly person: Person
  readonly thread: string
  readonly scopes?: readonly string[]
  readonly tenant?: string
}

/** A bot that learns from examples, and what can happen around it. */
async function house({ learn = 'own', trainOn = ['web'] }: { learn?: string; trainOn?: readonly string[] } = {}) {
  const stack = new AsyncDisposableStack()
  const store: Store = stack.use(await sqlite(':memory:'))
  const slot = stack.use(
    await createSlot({
      load: async (version) => echo({ version, contextTokens: 5000 }),
      first: { id: 'v0', base: 'e' },
      log: silent,
    }),
  )
  const world = { documents: [passage] as readonly Passage[], learned: [] as readonly string[] }
  const search = async () => world.documents
  const examples = createExamples({
    store,
    knowledge: { search },
    embed: (texts) => hashEmbedder().embed(texts, 'query'),
    trainOn,
    learnedBy: async () => world.learned,
  })
  const knowledge = { search, add: never, remove: never, documents: never, async [Symbol.asyncDispose]() {} }
  const profile = parseProfile(`---\nname: desk\nlearn: ${learn}\n---\nYou are Hazel.`, 'desk.md')
  const bot = stack.use(await createBot({ store, slot, profile, log: silent, knowledge, examples }))
  const waiting = new Map<string, (last: ReplyEvent | undefined) => void>()
  bot.attach({
    name: 'web',
    async deliver(event, events) {
      waiting.get(event.id)?.((await Array.fromAsync(events)).at(-1))
      return []
    },
  })
  const ask = async (text: string, asked: Asked): Promise<BotTurn> => {
    const id = `e${waiting.size}`
    const answered = new Promise<ReplyEvent | undefined>((resolve) => waiting.set(id, resolve))
    const place = { channel: 'web', tenant: 'web', scopes: [], at: new Date() }
    await bot.receive({ kind: 'message', id, text, ...place, ...asked })
    const last = await answered
    assert.ok(last?.kind === 'done', JSON.stringify(last))
    return (await store.turns.get(last.reply.turn)) as BotTurn
  }
  const correct = (turn: string, text = better, { person }: { person: { id: string; name: string } } = anna) =>
    bot.feedback({ kind: 'correction', turn, text, tenant: 'web', person })
  const promptOf = async (turn: BotTurn) => store.turns.prompt(((await store.turns.get(turn.id)) as BotTurn).prompt)
  return {
    ...world,
    world,
    store,
    slot,
    bot,
    examples,
    ask,
    correct,
    promptOf,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function never(): Promise<never> {
  throw new Error('Nothing is added here.')
}

const isTold = (prompt: readonly ChatMessage[], answer = better) =>
  prompt.some(({ role, content }) => role === 'assistant' && content === answer)

describe('examples that learn', () => {
  it('tell a correction on the very next turn, after all that was said, and once a thread', async () => {
    await using it = await house()
    const first = await it.ask(question, anna)
    await it.correct(first.id)
    const next = await it.ask('And how many days of vacation in part time?', anna)
    const prompt = await it.promptOf(next)
    const before = await it.promptOf(first)
    assert.deepEqual(prompt.slice(0, before.length), before)
    assert.deepEqual(prompt.slice(before.length + 1, -1), [
      { role: 'user', content: question },
      { role: 'assistant', content: better },
    ])
    const third = await it.promptOf(await it.ask('And how many days of vacation next year?', anna))
    assert.deepEqual(third.slice(0, prompt.length), prompt)
    assert.equal(third.filter(({ content }) => content === better).length, 1)
    assert.ok(isTold(await it.promptOf(await it.ask(question, { ...anna, thread: 'web:a2' }))))
  })

  it('tell the newest correction, and none where the profile says so', async () => {
    for (const learn of ['own', 'off']) {
      await using it = await house({ learn })
      const first = await it.ask(question, anna)
      await it.correct(first.id)
      await it.ask(question, { ...anna, thread: 'web:a1' })
      await it.correct(first.id, 'It is 25 days [1].')
      const prompt = await it.promptOf(await it.ask(question, { ...anna, thread: 'web:a2' }))
      assert.deepEqual([isTold(prompt), isTold(prompt, 'It is 25 days [1].')], [false, learn === 'own'])
    }
  })

  it('tell a liked reply where nearly the same is asked, and no more once the vote is withdrawn', async () => {
    await using it = await house()
    const liked = await it.ask(question, anna)
    const vote = (verdict: 'up' | 'none') =>
      it.bot.feedback({ kind: 'vote', turn: liked.id, verdict, tenant: 'web', person: anna.person })
    await vote('up')
    const toldFor = async (text: string, thread: string) =>
      isTold(await it.promptOf(await it.ask(text, { ...anna, thread })), liked.text)
    assert.equal(await toldFor(question, 'web:a2'), true)
    assert.equal(await toldFor('Where is the printer?', 'web:a3'), false)
    await vote('none')
    assert.equal(await toldFor(question, 'web:a4'), false)
  })

  it('tell nobody what another said, unless the profile learns from the whole tenant', async () => {
    for (const learn of ['own', 'tenant']) {
      await using it = await house({ learn })
      await it.correct((await it.ask(question, anna)).id, 'You get 25 days [1]; ask anna@home.example.')
      const prompt = await it.promptOf(await it.ask(question, bob))
      assert.equal(isTold(prompt, 'You get 25 days [1]; ask [email].'), learn === 'tenant')
      assert.ok(!prompt.some(({ content }) => content.includes('home.example')))
    }
  })

  it('stay in their tenant, in their scopes, and on channels that may be learned from', async () => {
    await using it = await house({ learn: 'tenant' })
    await it.correct((await it.ask(question, { ...anna, scopes: ['staff'] })).id)
    const told = async (asked: Asked) => isTold(await it.promptOf(await it.ask(question, asked)))
    assert.equal(await told({ ...bob, thread: 'b1' }), false)
    assert.equal(await told({ ...bob, thread: 'b2', scopes: ['staff'], tenant: 'other' }), false)
    assert.equal(await told({ ...bob, thread: 'b3', scopes: ['staff', 'more'] }), true)
    await using closed = await house({ trainOn: ['terminal'] })
    await closed.correct((await closed.ask(question, anna)).id)
    assert.ok(!isTold(await closed.promptOf(await closed.ask(question, { ...anna, thread: 'web:a2' }))))
  })

  it('are not told when the documents say it no more', async () => {
    await using it = await house()
    await it.correct((await it.ask(question, anna)).id)
    it.world.documents = [{ ...passage, text: 'Everyone gets 28 days of vacation.' }]
    assert.ok(!isTold(await it.promptOf(await it.ask(question, { ...anna, thread: 'web:a2' }))))
  })

  it('retire when the version that serves has learned them, and come back with a rollback', async () => {
    await using it = await house()
    const reply = await it.ask(question, anna)
    await it.correct(reply.id)
    const { corrections } = await it.store.feedback.ofTurn(reply.id)
    it.world.learned = corrections.map(({ id }) => id)
    const told = async (thread: string) => isTold(await it.promptOf(await it.ask(question, { ...anna, thread })))
    await it.slot.swap({ id: 'v1', base: 'e' })
    assert.equal(await told('web:a2'), false)
    await it.slot.swap({ id: 'v0', base: 'e' })
    assert.equal(await told('web:a3'), true)
  })

  it('retire with the version that a training run makes of them, but not those that it held out, until it is rolled back', async () => {
    await using house = await openHouse()
    // No two questions are alike.
    const vector = (text: string) =>
      new Float32Array(60).fill(1, Number(/\d+/.exec(text)), Number(/\d+/.exec(text)) + 1)
    const examples = createExamples({
      store: house.store,
      knowledge: { search: async () => [] },
      embed: async (texts) => texts.map(vector),
      trainOn: ['web'],
      learnedBy: taughtBy(house.registry),
    })
    const who = { tenant: 'web', person: 'web:anna', scopes: [], of: 'own', limit: 1 } as const
    const told = async (n: number) => {
      const near = await examples.near(`How long does number ${n} take?`, { ...who, version: house.slot.version.id })
      return near[0]?.id === `good-web-${n}`
    }
    const all = Array.from({ length: 60 }, (_, n) => n)
    const toldOf = async (numbers: readonly number[]) => (await Promise.all(numbers.map(told))).filter(Boolean).length
    assert.equal(await toldOf(all), 60)
    await house.learning.start('web:anna')
    await Array.fromAsync(house.learning.watch())
    assert.equal(house.slot.version.id, 'v1')
    const taught = new Set(await taughtBy(house.registry)('v1'))
    const [learned, heldOut] = [true, false].map((is) => all.filter((n) => taught.has(`good-web-${n}`) === is))
    assert.ok(learned && heldOut && learned.length > 30 && heldOut.length > 0)
    assert.deepEqual([await toldOf(learned), await toldOf(heldOut)], [0, heldOut.length])
    await house.learning.rollback('web:anna')
    assert.equal(await toldOf(all), 60)
  })

  it('go with the person who is forgotten, out of conversations of others too, which go on', async () => {
    await using it = await house({ learn: 'tenant' })
    await it.correct((await it.ask(question, anna)).id)
    const told = await it.ask(question, bob)
    assert.ok(isTold(await it.promptOf(told)))
    await it.store.feedback.forget('web:anna')
    assert.deepEqual(
      (await it.promptOf(told)).map(({ role }) => role),
      ['system', 'user'],
    )
    const next = await it.promptOf(await it.ask('And next year, how many days of vacation?', bob))
    assert.deepEqual([isTold(next), next.length], [false, 4])
  })
})
