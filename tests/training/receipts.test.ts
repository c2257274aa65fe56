import assert from 'node:assert/strict'
import { silent } from '../../src/log.ts'
import type { PairTrace } from '../../src/ports/learning.ts'
import type { Store } from '../../src/ports/store.ts'
import { sqlite } from '../../src/store/index.ts'
import { createReceipts, type Registry } from '../../training/index.ts'
import { fakeSlot, type Script } from '../fakes/engine.ts'
import { fill, learned } from './house.ts'

interface Told {
  readonly person: string
  readonly text: string
  readonly channel: string
  readonly threads: readonly string[]
}

interface Setting {
  readonly script?: Partial<Script>
  readonly pairs: readonly PairTrace[]
  readonly most?: number
  readonly reached?: boolean
  readonly trainOn?: readonly string[]
}

const at = new Date('2026-05-02T10:00:00Z')
const pair = (n: number, ...people: readonly string[]): PairTrace => ({
  ...{ origin: 'votes', chosen: `good-web-${n}`, rejected: `bad-web-${n}` },
  people: ['web:anna', ...people],
})
const dislikes = (store: Store, person: string, n: number) =>
  store.feedback.vote({ turn: `bad-web-${n}`, person, verdict: 'down', at })

/** Says that v1, which learned from these pairs, serves from now on; answers who was told what. */
async function promoted(store: Store, { script, pairs, most = 9, reached = true, trainOn = ['web'] }: Setting) {
  const told: Told[] = []
  const slot = fakeSlot({ id: 'v1', base: 'base.gguf' }, { ...learned, ...script })
  await using receipts = createReceipts({
    store,
    registry: { get: async () => ({ manifest: { pairs } }) } as unknown as Registry,
    slotOf: async () => slot,
    base: 'base.gguf',
    trainOn,
    most,
    log: silent,
    async tell({ id }, text, where) {
      told.push({ person: id, text, ...where })
      return reached
    },
  })
  receipts.promoted('v1', '')
  await receipts.idle()
  return told
}

const people = (told: readonly Told[]) => told.map(({ person }) => person).sort()

describe('receipts for votes', () => {
  let store: Store
  beforeEach(async () => {
    store = await sqlite(':memory:')
    await fill(store, 4)
  })
  afterEach(() => store[Symbol.asyncDispose]())

  it('tell a person once for a version, with the old and the new answer, where they wrote', async () => {
    const [first, ...more] = await promoted(store, { pairs: [pair(1), pair(2)] })
    assert.deepEqual([first?.person, first?.channel, more], ['web:anna', 'web', []])
    assert.ok(first?.threads.includes('web:t2'))
    for (const said of [
      '> How long does number 2 take?',
      '> That would be 102 days, I think [1].',
      '> 102 days [1].',
      'v1',
    ])
      assert.ok(first?.text.includes(said), said)
    assert.deepEqual(await promoted(store, { pairs: [pair(1), pair(2)] }), [])
    assert.deepEqual(await store.inbox.unsettled(), [])
  })

  it('go to those alone who wanted that very reply otherwise, and want it still', async () => {
    await dislikes(store, 'web:bob', 1)
    await dislikes(store, 'web:cleo', 1)
    await store.feedback.vote({ turn: 'good-web-1', person: 'web:dan', verdict: 'up', at })
    await store.feedback.vote({ turn: 'bad-web-1', person: 'web:cleo', verdict: 'none', at })
    const told = await promoted(store, { pairs: [pair(1, 'web:bob', 'web:cleo', 'web:dan')] })
    assert.deepEqual(people(told), ['web:anna', 'web:bob'])
  })

  it('come for a correction once answers are nearer to it, whatever the scores say', async () => {
    const correct = (id: string, n: number, text: string) =>
      store.feedback.correct({ id, turn: `bad-web-${n}`, person: 'web:bob', text, at })
    await correct('c1', 1, 'It is 101 days [1].')
    await correct('c2', 2, 'That would be 102 days, I think [1]. Ask Ben.')
    const of = (chosen: string, n: number): PairTrace => ({
      ...pair(n),
      origin: 'correction',
      chosen,
      people: ['web:bob'],
    })
    const flat = { score: () => ({ logProbability: -1, tokens: 1 }) }
    assert.deepEqual(await promoted(store, { pairs: [of('c2', 2)], script: flat }), [])
    const told = await promoted(store, { pairs: [of('c1', 1), of('c2', 2)], script: flat })
    assert.deepEqual([people(told), told[0]?.text.includes('> 101 days [1].')], [['web:bob'], true])
  })

  it('do not come where the answer is the old one, or the reply that was wanted has not become likelier', async () => {
    const same: Partial<Script> = { answer: (_, prompt) => learned.answer({ id: 'v0', base: '' }, prompt) }
    const flat: Partial<Script> = { score: () => ({ logProbability: -1, tokens: 1 }) }
    for (const script of [same, flat]) assert.deepEqual(await promoted(store, { pairs: [pair(1)], script }), [])
    assert.equal((await promoted(store, { pairs: [pair(1)] })).length, 1)
  })

  it('never reach people who do not want them, who were forgotten, or of channels that are not trained on', async () => {
    await dislikes(store, 'web:bob', 1)
    await dislikes(store, 'web:cleo', 1)
    const pairs = [pair(1, 'web:bob', 'web:cleo')]
    assert.deepEqual(await promoted(store, { pairs, trainOn: ['slack'] }), [])
    await store.wishes.setReceipts('web:cleo', false)
    await store.feedback.forget('web:bob')
    assert.deepEqual(people(await promoted(store, { pairs })), ['web:anna'])
    await store.feedback.forget('web:anna')
    assert.deepEqual(await promoted(store, { pairs }), [])
  })

  it('are so many at most, and are tried once where somebody can’t be reached', async () => {
    for (const person of ['web:bob', 'web:cleo']) await dislikes(store, person, 1)
    const pairs = [pair(1, 'web:bob', 'web:cleo')]
    assert.equal((await promoted(store, { pairs, most: 2 })).length, 2)
    assert.equal((await promoted(store, { pairs, reached: false })).length, 1)
    assert.deepEqual(await promoted(store, { pairs }), [])
  })
})
