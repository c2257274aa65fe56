import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createBot } from '../../src/bot.ts'
import { inParts, shownWhole, soFar, styleFor, withoutExplanations } from '../../src/explanation.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Inbound, Reply, ReplyEvent } from '../../src/ports/channel.ts'
import type { ChatMessage, Version } from '../../src/ports/engine.ts'
import type { BotTurn, Store } from '../../src/ports/store.ts'
import { explanationFor, parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'

const v0: Version = { id: 'v0', base: 'fake' }
const profileOf = (explanation: string, more = '') =>
  parseProfile(`---\nname: desk\nexplanation: ${explanation}\n${more}---\nYou are Hazel.`, 'desk.md')
const inForm = 'It is 25 days [1].\n\n<why>\nThe page says 25.\n</why>'

describe('the style of an explanation', () => {
  for (const [question, style] of [
    ['How do I book a desk?', 'steps'],
    ['Hi! How can I get a new badge?', 'steps'],
    ['Why was my request refused?', 'reason'],
    ['How many days off do I get?', 'source'],
    ['And when does the office open?', 'source'],
    ["What's the deadline for expenses?", 'source'],
    ['What is a core hour?', 'plain'],
    ['What does "on call" mean?', 'plain'],
    ['Can I work from Riga?', 'condition'],
    ['I am new here. May I bring my dog?', 'condition'],
    ['Can you tell me about pensions?', 'facts'],
    ['Pensions', 'facts'],
    ['', 'facts'],
  ] as const)
    it(`is ${style} for "${question}"`, () => assert.equal(styleFor(question), style))

  it('is a person’s own, else their tenant’s, else the profile’s, and auto looks at the question', () => {
    const profile = profileOf('{ style: plain, tenants: { t: auto }, people: { "web:anna": off } }')
    const style = (person: string, tenant: string) => explanationFor(profile, { person, tenant, text: 'Why?' })
    assert.deepEqual([style('web:anna', 't'), style('web:bob', 't'), style('web:bob', 'u')], ['off', 'reason', 'plain'])
    assert.equal(explanationFor(profileOf('{}'), { person: 'p', tenant: 't', text: 'Why?' }), 'reason')
    const without = parseProfile('---\nname: desk\n---\n', 'desk.md')
    assert.equal(explanationFor(without, { person: 'p', tenant: 't', text: 'Why?' }), 'off')
  })

  it('is refused with file and line when there is no such style', () => {
    assert.throws(() => profileOf('{ style: poem }'), { code: 'CONFIG', message: /^desk\.md, line 3, .*style/ })
    assert.throws(() => profileOf('{}', 'variables:\n  explanation: { default: x }\n'), {
      code: 'CONFIG',
      message: /line 5: "explanation" is there already/,
    })
  })
})

describe('a reply in two parts', () => {
  for (const [what, said, answer, explanation] of [
    ['is taken apart at the mark', inForm, 'It is 25 days [1].', 'The page says 25.'],
    ['needs no closing mark', ' Yes.<why> It fits.', 'Yes.', 'It fits.'],
    ['may explain first', '<why>It fits.</why>\nYes.', 'Yes.', 'It fits.'],
    ['keeps an answer that goes on', 'Yes.\n<why>It fits.</why>\nBut ask.', 'Yes.\n\nBut ask.', 'It fits.'],
    ['is an answer where the form is ignored', 'Yes: 3 < 4, <whatever>', 'Yes: 3 < 4, <whatever>', undefined],
    ['is an answer where there is nothing else', '<why>\nYes.', 'Yes.', undefined],
    ['is an answer where the explanation is empty', 'Yes.\n<why>\n', 'Yes.', undefined],
    ['is what it is where it is nothing but a mark', '<why>', '<why>', undefined],
  ] as const)
    it(what, () => assert.deepEqual(inParts(said), { answer, ...(explanation ? { explanation } : {}) }))

  it('streams what is sure, however it is cut, and loses no word', () => {
    const bits = fc.constantFrom('<why>', '</why>', '<', 'w', 'why>', '</', '\n', ' ', 'yes', '25 [1]', '<b>')
    const chunks = fc.array(bits, { maxLength: 14 })
    const words = (text: string) => text.replace(/<\/?why>|\*\*Why:\*\*|\s/g, '')
    fc.assert(
      fc.property(chunks, fc.boolean(), (parts, shown) => {
        const told = parts.map((_, index) => soFar(parts.slice(0, index + 1).join(''), shown))
        for (const [index, text] of told.entries())
          assert.ok(text.startsWith(told[index - 1] ?? ''), `${JSON.stringify(told)}`)
        const said = parts.join('')
        const { answer, explanation = '' } = inParts(said)
        // A second mark stays in the text as it is.
        if (said.trim() === '' || (said.match(/<\/?why>/g) ?? []).length > 2) return
        assert.equal([...words(`${answer} ${explanation}`)].sort().join(''), [...words(said)].sort().join(''))
        const whole = shown ? shownWhole(said) : answer
        if (explanation) assert.ok(whole.startsWith(told.at(-1) ?? ''), JSON.stringify([told.at(-1), whole]))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a profile that wants explanations', () => {
  let stack: AsyncDisposableStack
  let store: Store
  let say: string
  let prompts: (readonly ChatMessage[])[]
  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    store = stack.use(await sqlite(':memory:'))
    say = inForm
    prompts = []
  })
  afterEach(() => stack.disposeAsync())

  /** Says `say`, three characters at a time. */
  const load = async (version: Version) => ({
    version,
    contextTokens: 8192,
    async *generate(prompt: readonly ChatMessage[]) {
      prompts.push(prompt)
      for (const text of say.match(/[\s\S]{1,3}/g) ?? []) yield { kind: 'text' as const, text }
      yield { kind: 'end' as const, reason: 'stop' as const, usage: { prompt: 1, evaluated: 1, completion: 1 } }
    },
    [Symbol.asyncDispose]: async () => {},
  })
  const start = async (explanation: string): Promise<Bot> => {
    const slot = stack.use(await createSlot({ load, first: v0, log: silent }))
    return stack.use(await createBot({ store, slot, profile: profileOf(explanation), log: silent }))
  }
  const ask = async (bot: Bot, text: string, person = 'api:p') => {
    const asked = { thread: 'api:t', person: { id: person, name: 'P' } }
    const events = await Array.fromAsync(bot.ask(text, asked))
    const streamed = events.map((event) => (event.kind === 'delta' ? event.text : '')).join('')
    const reply = events.find((event): event is Extract<ReplyEvent, { kind: 'done' }> => event.kind === 'done')?.reply
    return { streamed, reply: reply as Reply, turn: (await store.turns.get(reply?.turn ?? '')) as BotTurn }
  }

  it('streams the answer alone and keeps the explanation behind it, folded', async () => {
    const { streamed, reply, turn } = await ask(await start('{}'), 'How many days?')
    assert.equal(streamed, 'It is 25 days [1].')
    assert.deepEqual([reply.text, reply.explanation], ['It is 25 days [1].', 'The page says 25.'])
    assert.equal(turn.text, 'It is 25 days [1].')
    assert.deepEqual(turn.explanation, { style: 'source', show: 'folded', text: 'The page says 25.', said: inForm })
  })

  it('shows it with the answer, as it was streamed', async () => {
    const { streamed, reply } = await ask(await start('{ show: shown }'), 'How many days?')
    assert.equal(reply.text, 'It is 25 days [1].\n\n**Why:** The page says 25.')
    assert.deepEqual([streamed, reply.explanation], [reply.text, undefined])
  })

  it('shows nothing of it where it is kept for training alone, not even on being asked why', async () => {
    const bot = await start('{ show: hidden }')
    const { streamed, reply, turn } = await ask(bot, 'How many days?')
    assert.deepEqual([streamed, reply.text, reply.explanation], ['It is 25 days [1].', 'It is 25 days [1].', undefined])
    assert.equal(turn.explanation?.text, 'The page says 25.')
    const where = { tenant: 'api', channel: 'api', thread: 'api:t', person: { id: 'api:p', name: 'P' }, admin: false }
    assert.doesNotMatch((await bot.command({ text: `why ${turn.id}`, ...where })).text, /The page says/)
  })

  it('tells a folded one to who asks why', async () => {
    const bot = await start('{}')
    const { turn } = await ask(bot, 'How many days?')
    const where = { tenant: 'api', channel: 'api', thread: 'api:t', person: { id: 'api:p', name: 'P' }, admin: false }
    assert.match((await bot.command({ text: `why ${turn.id}`, ...where })).text, /^The page says 25\.\n/)
  })

  it('gives the whole reply of a model that ignores the form', async () => {
    say = 'It is 25 days, since the page says so: 25 < 30.'
    const { streamed, reply, turn } = await ask(await start('{}'), 'How many days?')
    assert.deepEqual([streamed, reply.text, turn.text, turn.explanation], [say, say, say, undefined])
  })

  it('asks a thread for it once, again when the style changes, and takes it back for who wants none', async () => {
    const bot = await start('{ people: { "api:q": off } }')
    for (const text of ['How many days?', 'How long is a day?', 'Why?']) await ask(bot, text)
    const off = await ask(bot, 'Why so few?', 'api:q')
    const asked = prompts.map((prompt) => /<explain>\n(.*)\n<\/explain>$/.exec(prompt.at(-1)?.content ?? '')?.[1])
    assert.match(asked[0] ?? '', /^Answer first\. Then write <why> on a line of its own and say for each part/)
    assert.deepEqual([asked[1], /give the reason/.test(asked[2] ?? '')], [undefined, true])
    assert.equal(asked[3], 'Answer without an explanation.')
    assert.deepEqual([off.reply.explanation, off.turn.explanation?.show], [undefined, 'hidden'])
  })

  it('stays append only: a later prompt is the earlier one, the whole reply and what is new', async () => {
    const bot = await start('{}')
    for (const text of ['How many days?', 'Why?', 'Why not more?']) await ask(bot, text)
    for (const [index, prompt] of prompts.slice(1).entries()) {
      const before = prompts[index] ?? []
      assert.deepEqual(prompt.slice(0, before.length + 1), [...before, { role: 'assistant', content: inForm }])
    }
  })

  it('asks for another try of the same, and takes that apart too', async () => {
    const bot = await start('{}')
    const { turn } = await ask(bot, 'How many days?')
    say = 'Thirty.\n<why>\nI counted.'
    const done = Promise.withResolvers<Reply>()
    bot.attach({
      name: 'api',
      async deliver(_event: Inbound, events) {
        for await (const event of events) if (event.kind === 'done') done.resolve(event.reply)
        return []
      },
    })
    const event = { kind: 'retry', id: 'r', channel: 'api', tenant: 'api', thread: 'api:t', turn: turn.id } as const
    await bot.receive({ ...event, person: { id: 'api:p', name: 'P' }, scopes: [], at: new Date() })
    const { text, explanation } = await done.promise
    assert.deepEqual([text, explanation, prompts[0]], ['Thirty.', 'I counted.', prompts[1]])
  })

  it('is judged by its answers: what training reads asks for none, and has the whole reply besides', async () => {
    const bot = await start('{}')
    await ask(bot, 'How many days?')
    const { turn } = await ask(bot, 'Why?')
    await store.feedback.vote({ turn: turn.id, person: 'api:p', verdict: 'up', at: new Date() })
    const [judged] = await Array.fromAsync(store.feedback.judged())
    assert.deepEqual(judged?.prompt, [
      { role: 'system', content: 'You are Hazel.' },
      { role: 'user', content: 'How many days?' },
      { role: 'assistant', content: 'It is 25 days [1].' },
      { role: 'user', content: 'Why?' },
    ])
    assert.deepEqual(judged?.explaining, prompts[1])
  })

  it('leaves a prompt alone that never asked', () => {
    const prompt = [
      { role: 'user', content: 'What is <why>?' },
      { role: 'assistant', content: 'A mark: <why> and </why>.' },
    ] as const
    assert.equal(withoutExplanations(prompt), prompt)
  })
})
