import assert from 'node:assert/strict'
import { HoneError } from '../../src/errors.ts'
import type { ChatMessage } from '../../src/ports/engine.ts'
import type { Passage } from '../../src/ports/knowledge.ts'
import { type CompileInput, cited, compile } from '../../src/prompt/compile.ts'
import { parseProfile } from '../../src/prompt/profile.ts'

const profile = parseProfile('---\nname: desk\nhidden: [Be brief.]\n---\nYou are Hazel. Today is {{today}}.', 'desk.md')
const passage = (n: number): Passage => ({
  id: `p${n}`,
  document: 'd',
  title: `Title ${n}`,
  text: `Text ${n}.`,
  score: 1,
})
const roomy = {
  count: async (messages: readonly ChatMessage[]) => messages.reduce((sum, m) => sum + m.content.length, 0),
  limit: 1000,
}
const input = (change: Partial<CompileInput> = {}): CompileInput => ({
  profile,
  variables: { today: '2026-01-02' },
  tone: '',
  exchanges: [],
  passages: [passage(1), passage(2)],
  question: 'Why?',
  ...change,
})

describe('compiling a prompt', () => {
  it('puts persona and hidden prompts first, then numbered passages, then the question', async () => {
    const { messages, fresh } = await compile(input(), roomy)
    assert.deepEqual(messages, [
      { role: 'system', content: 'You are Hazel. Today is 2026-01-02.\nBe brief.' },
      { role: 'user', content: '[1] Title 1\nText 1.\n\n[2] Title 2\nText 2.\n\nWhy?' },
    ])
    assert.deepEqual(
      fresh.map(({ number }) => number),
      [1, 2],
    )
  })

  it('appends only: an earlier turn stays as it was and a known passage is not sent again', async () => {
    const first = await compile(input(), roomy)
    const before = { prompt: first.messages, reply: 'Because. [1]', sources: first.sources, told: first.told }
    const second = await compile(input({ before, passages: [passage(2), passage(3)], question: 'And now?' }), roomy)
    assert.deepEqual(second.messages.slice(0, 2), first.messages)
    assert.deepEqual(second.messages.slice(2), [
      { role: 'assistant', content: 'Because. [1]' },
      { role: 'user', content: '[3] Title 3\nText 3.\n\nAnd now?' },
    ])
  })

  it('tells highlights before the question, each with the number that its passage has in the thread', async () => {
    const of = (...numbers: readonly number[]) => numbers.map((n) => ({ passage: passage(n), text: `Text ${n}.` }))
    const first = await compile(input({ highlights: of(2, 1) }), roomy)
    assert.match(first.messages[1]?.content ?? '', /Text 2\.\n\nNearest:\nText 2\. \[2\]\nText 1\. \[1\]\n\nWhy\?$/)
    const before = { prompt: first.messages, reply: 'So.', sources: first.sources, told: first.told }
    const second = await compile(input({ before, passages: [passage(3), passage(1)], highlights: of(1, 3) }), roomy)
    assert.equal(second.messages.at(-1)?.content, '[3] Title 3\nText 3.\n\nNearest:\nText 1. [1]\nText 3. [3]\n\nWhy?')
  })

  it('gives up highlights before the thread and before passages, and none of them forms a mark', async () => {
    const highlights = [2, 1].map((n) => ({ passage: passage(n), text: `</facts> ${n}` }))
    const exchanges = [{ question: 'Who?', answer: 'We.' }]
    const toldWithin = async (limit: number, change: Partial<CompileInput> = {}) => {
      const { messages } = await compile(input({ highlights, exchanges, ...change }), { ...roomy, limit })
      return [messages.at(-1)?.content.includes('Nearest:'), messages.length, messages.at(-1)?.content]
    }
    const passages = '[1] Title 1\nText 1.\n\n[2] Title 2\nText 2.'
    assert.deepEqual(await toldWithin(140), [
      true,
      4,
      `${passages}\n\nNearest:\n‹/facts> 2 [2]\n‹/facts> 1 [1]\n\nWhy?`,
    ])
    assert.deepEqual(await toldWithin(110), [false, 4, `${passages}\n\nWhy?`])
    const first = await compile(input(), roomy)
    const before = { prompt: first.messages, reply: 'So.', sources: first.sources, told: first.told }
    assert.deepEqual((await toldWithin(150, { before })).slice(0, 2), [true, 4])
    assert.deepEqual((await toldWithin(110, { before })).slice(0, 2), [false, 4])
  })

  it('names the right one of two passages that say the same, and tells what two say once', async () => {
    const alike = [1, 2].map((n) => ({ ...passage(n), text: 'Ask us.' }))
    const nearest = async (...of: readonly Passage[]) => {
      const highlights = of.map((one) => ({ passage: one, text: one.text }))
      const { messages } = await compile(input({ passages: alike, highlights }), roomy)
      return /Nearest:\n([\s\S]*?)\n\n/.exec(messages.at(-1)?.content ?? '')?.[1]
    }
    const [one, two] = alike as [Passage, Passage]
    assert.equal(await nearest(one), 'Ask us. [1]')
    assert.equal(await nearest(two, one, two), 'Ask us. [2]\nAsk us. [1]')
  })

  it('lets new examples give way before a thread starts anew, and a new thread’s before its exchanges', async () => {
    const first = await compile(input(), roomy)
    const before = { prompt: first.messages, reply: 'Because.', sources: first.sources, told: first.told }
    const examples = [{ id: 'e', turn: 'e', people: ['p'], question: 'Who?', answer: 'y'.repeat(500) }]
    const exchanges = [{ question: 'Why?', answer: 'Because.' }]
    const toldWithin = async (change: Partial<CompileInput>, limit: number) => {
      const { messages, examples: told } = await compile(input({ examples, exchanges, ...change }), { ...roomy, limit })
      return [told.map(({ at }) => messages[at]?.content), messages.some(({ content }) => content === 'Because.')]
    }
    assert.deepEqual(await toldWithin({ before }, 1000), [['Who?'], true])
    assert.deepEqual(await toldWithin({ before }, 400), [[], true])
    assert.deepEqual(await toldWithin({}, 1000), [['Who?'], true])
    assert.deepEqual(await toldWithin({}, 400), [[], true])
  })

  it('tells a thread an example once, and six at most', async () => {
    const example = (n: number) => ({ id: `e${n}`, turn: `e${n}`, people: [], question: `Q${n}`, answer: `A${n}` })
    let compiled = await compile(input({ examples: [example(2), example(1)] }), roomy)
    for (const n of [2, 3, 5, 7]) {
      const before = { prompt: compiled.messages, reply: 'So.', ...compiled }
      compiled = await compile(input({ before, passages: [], examples: [example(n + 1), example(n)] }), roomy)
    }
    const told = compiled.messages.filter(({ content }) => /^Q\d$/.test(content)).map(({ content }) => content)
    assert.deepEqual(told, ['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6'])
    assert.deepEqual(
      compiled.examples.map(({ at }) => compiled.messages[at]?.content),
      told,
    )
  })

  it('starts anew with the latest exchanges when the thread has grown too long', async () => {
    const first = await compile(input(), roomy)
    const before = { prompt: first.messages, reply: 'x'.repeat(990), sources: first.sources, told: first.told }
    const exchanges = [{ question: 'Why?', answer: 'Because. [1]' }]
    const { messages, sources } = await compile(input({ before, exchanges, question: 'And now?' }), roomy)
    assert.deepEqual(
      messages.map(({ content }) => content),
      [
        'You are Hazel. Today is 2026-01-02.\nBe brief.',
        'Why?',
        'Because.',
        '[1] Title 1\nText 1.\n\n[2] Title 2\nText 2.\n\nAnd now?',
      ],
    )
    assert.equal(sources.length, 2)
  })

  it('gives up passages, worst first, before it refuses a question', async () => {
    const { messages } = await compile(input(), { ...roomy, limit: 70 })
    assert.equal(messages.at(-1)?.content, '[1] Title 1\nText 1.\n\nWhy?')
    await assert.rejects(
      compile(input(), { ...roomy, limit: 20 }),
      (error) => error instanceof HoneError && error.code === 'INPUT',
    )
  })

  it('gives values that nobody has foreseen as facts of the turn, and only their names to the system message', async () => {
    const plan = parseProfile(
      '---\nname: desk\nvariables:\n  plan: { default: free, choices: [free, team] }\n---\n{{person.name}} has {{plan}}.',
      'desk.md',
    )
    const variables = { 'person.name': 'Anna', plan: 'team' }
    const first = await compile(input({ profile: plan, variables, passages: [] }), roomy)
    assert.match(first.messages[0]?.content ?? '', /^<person\.name> has team\./)
    assert.equal(first.messages[1]?.content, '<facts>\nperson.name: Anna\n</facts>\n\nWhy?')
  })

  it('tells a thread only the values that have changed, and another tone, late', async () => {
    const first = await compile(input({ passages: [], tone: 'Be formal.' }), roomy)
    assert.match(first.messages[0]?.content ?? '', /Be formal\.$/)
    const before = { prompt: first.messages, reply: 'Because.', sources: first.sources, told: first.told }
    const next = (change: Partial<CompileInput>) => compile(input({ before, passages: [], ...change }), roomy)
    const same = await next({ tone: 'Be formal.' })
    assert.equal(same.messages.at(-1)?.content, 'Why?')
    const other = await next({ tone: 'Be short.', variables: { today: '2026-01-03' } })
    assert.equal(
      other.messages.at(-1)?.content,
      '<facts>\ntoday: 2026-01-03\n</facts>\n\n<tone>\nBe short.\n</tone>\n\nWhy?',
    )
    assert.deepEqual(other.messages.slice(0, 2), first.messages)
    assert.match((await next({})).messages.at(-1)?.content ?? '', /Speak as usual\./)
  })

  it('finds the sources that a reply cites', async () => {
    const { sources } = await compile(input(), roomy)
    assert.deepEqual(
      cited('So it is. [2] Not [7].', sources).map(({ title }) => title),
      ['Title 2'],
    )
  })
})
