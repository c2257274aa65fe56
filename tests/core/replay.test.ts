import assert from 'node:assert/strict'
import { HoneError } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import type { ChatMessage, EngineSlot } from '../../src/ports/engine.ts'
import type { Knowledge, Passage, SearchOptions } from '../../src/ports/knowledge.ts'
import type { Replay, ReplayOptions, ReplaySide, Replays } from '../../src/ports/replay.ts'
import type { NewBotTurn, Store, UserTurn } from '../../src/ports/store.ts'
import { openProfiles } from '../../src/profiles.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createReplays, type ReplayParts } from '../../src/replay/replays.ts'
import { changesBetween, recite, summaryOf } from '../../src/replay/summary.ts'
import { sqlite } from '../../src/store/index.ts'
import { at, botTurn, userTurn } from '../contracts/store/samples.ts'
import { fakeSlot } from '../fakes/engine.ts'

const profile = (front = '', persona = 'You are Hazel.') => `---\nname: desk\n${front}---\n${persona}`
const passage = (name: string): Passage => ({
  ...{ id: name, document: `${name}.md`, title: name, text: `About ${name}.`, score: 1 },
})
const source = (number: number, name: string) => {
  const { id: _, score: __, ...rest } = passage(name)
  return { number, ...rest }
}

describe('a replay of past threads', () => {
  let store: Store
  let prompts: (readonly ChatMessage[])[]
  let searches: (SearchOptions & { readonly query: string })[]
  let found: readonly Passage[]
  let answer: (prompt: readonly ChatMessage[]) => string
  beforeEach(async () => {
    store = await sqlite(':memory:')
    prompts = []
    searches = []
    found = []
    answer = (prompt) => `New: ${prompt.at(-1)?.content.split('\n').at(-1)}`
  })
  afterEach(() => store[Symbol.asyncDispose]())

  const open = async (more: Partial<ReplayParts> = {}): Promise<Replays> => {
    const slot = fakeSlot(
      { id: 'v3', base: 'scripted' },
      {
        answer(_, prompt) {
          prompts.push(prompt)
          return { text: answer(prompt) }
        },
      },
    )
    const search = async (query: string, options: SearchOptions) => {
      searches.push({ query, ...options })
      return found
    }
    const profiles = await openProfiles({ store, file: parseProfile(profile(), 'desk.md'), log: silent })
    const declines = (text: string) => text.includes('don’t know')
    const knowledge = { search } as Pick<Knowledge, 'search'> as Knowledge
    return createReplays({ store, slot, knowledge, profiles, channels: ['web'], declines, log: silent, ...more })
  }
  /** A question with its reply, the newest of the thread. */
  const exchange = async (id: string, asked: Partial<UserTurn> = {}, reply: Partial<NewBotTurn> = {}) => {
    const where = { thread: asked.thread ?? 'web:t', tenant: asked.tenant ?? 'web', channel: asked.channel ?? 'web' }
    await store.turns.appendUser(userTurn(`q${id}`, { at: at(Number(id)), scopes: ['staff'], ...asked }))
    const { variables: _, tools: __, output: ___, ...plain } = botTurn(`a${id}`, `q${id}`, where)
    await store.turns.appendBot([{ ...plain, at: at(Number(id)), ...reply }], `event:q${id}`)
  }
  const ended = async (replays: Replays, options: Partial<ReplayOptions> = {}): Promise<Replay> => {
    const { id } = await replays.start({ profile: profile('', 'You are Ash.'), ...options }, 'web:boss')
    await Array.fromAsync(replays.watch(id))
    return replays.last() ?? assert.fail('It is gone.')
  }
  const lastMessage = (nth: number) => prompts[nth]?.at(-1)?.content

  it('answers each message with the replies of then before it, and their sources under the new numbers', async () => {
    await exchange('1', {}, { text: 'Fifty, see [2].', sources: [source(1, 'pay'), source(2, 'leave')] })
    await exchange('2', { parent: 'a1' }, { text: 'Then as now', sources: [] })
    found = [passage('leave')]
    const { turns, state, planned } = await ended(await open())
    assert.deepEqual([state, planned, turns.length], ['done', 2, 2])
    assert.deepEqual(prompts, [
      [
        { role: 'system', content: 'You are Ash.' },
        { role: 'user', content: '[1] leave\nAbout leave.\n\nQuestion q1' },
      ],
      [
        ...(prompts[0] ?? []),
        { role: 'assistant', content: 'Fifty, see [1].' },
        { role: 'user', content: 'Question q2' },
      ],
    ])
    const [first] = turns
    assert.deepEqual([first?.old.text, first?.old.cites, first?.old.version], ['Fifty, see [2].', ['leave'], 'v0'])
    assert.deepEqual(
      [first?.fresh?.text, first?.fresh?.version, first?.changes],
      ['New: Question q1', 'v3', ['words', 'sources']],
    )
    assert.deepEqual([first?.otherPassages, turns[1]?.otherPassages], [false, true])
  })

  it('asks for explanations as the candidate would, and compares the answers alone', async () => {
    const explanation = {
      style: 'plain',
      show: 'folded',
      text: 'It says so.',
      said: 'Old.\n<why>\nIt says so.',
    } as const
    await exchange('1', {}, { text: 'Old.', explanation })
    await exchange('2', { parent: 'a1' })
    answer = () => 'New.\n<why>\nThe page says so.'
    const { turns } = await ended(await open(), { profile: profile('explanation: { style: plain }\n') })
    assert.match(prompts[0]?.at(-1)?.content ?? '', /^Question q1\n\n<explain>\nAnswer first\./)
    assert.equal(prompts[1]?.at(-2)?.content, explanation.said)
    assert.deepEqual([turns[0]?.old.text, turns[0]?.fresh?.text, turns[0]?.fresh?.words], ['Old.', 'New.', 1])
  })

  it('is answered by the version that serves the tenant whose threads they are', async () => {
    await exchange('1', { tenant: 'slack:T1', thread: 'slack:T1:c' })
    const [slot, own] = ['v3', 'v5'].map((id) => fakeSlot({ id, base: 'scripted' }, {}))
    const of = async (tenant: string) => (tenant === 'slack:T1' ? own : slot) as EngineSlot
    const { turns } = await ended(await open({ slot: { ...(slot as EngineSlot), of } }))
    assert.equal(turns[0]?.fresh?.version, 'v5')
  })

  it('looks passages up for whoever asked, as far as they could see then', async () => {
    await exchange('1', { scopes: ['staff', 'hr'] })
    await exchange('2', { parent: 'a1', scopes: undefined as never, text: 'And now?' })
    await ended(await open(), { profile: profile('passages: 5\n') })
    assert.deepEqual(
      searches.map(({ query, tenant, scopes, limit }) => ({ query: query.trim(), tenant, scopes, limit })),
      [
        { query: 'Question q1', tenant: 'web', scopes: ['staff', 'hr'], limit: 5 },
        { query: 'And now? And now? And now? Question q1', tenant: 'web', scopes: [], limit: 5 },
      ],
    )
  })

  it('tells the values that were told then, and defaults for the others', async () => {
    await exchange('1', {}, { variables: { plan: 'team', 'person.name': 'Anna' } })
    const candidate = profile(
      'variables:\n  plan: { default: free, from: /plan }\n  city: { default: Riga }\n',
      '{{plan}} {{city}} {{person.name}} {{today}}',
    )
    await ended(await open(), { profile: candidate })
    assert.equal(lastMessage(0), '<facts>\nplan: team\ncity: Riga\nperson.name: Anna\n</facts>\n\nQuestion q1')
    assert.match(prompts[0]?.[0]?.content ?? '', /2026-05-01/)
  })

  it('says why a message can’t be answered, and goes on', async () => {
    await exchange('1')
    await exchange('2', { parent: 'a1' }, { variables: { plan: 'team' } })
    const needs = profile('variables:\n  plan: { required: true }\n', '{{plan}}')
    const { turns, summary } = await ended(await open(), { profile: needs })
    assert.match(turns[0]?.why ?? '', /can't be looked up right now \(plan\)/)
    assert.deepEqual([turns[1]?.fresh?.text, summary.unanswered, summary.answered], ['New: Question q2', 1, 1])
    answer = (prompt) => {
      if (prompt.at(-1)?.content.includes('q1')) throw new HoneError('ENGINE_FAILED', 'The engine fell over.')
      return ''
    }
    const failing = await ended(await open())
    assert.deepEqual(
      failing.turns.map(({ why }) => why),
      ['The engine fell over.', 'The model said nothing.'],
    )
  })

  it('tells what tools answered then, calls none, and leaves out what Hone itself asked', async () => {
    const call = (name: string, state: 'done' | 'waiting') =>
      ({ name, arguments: {}, state, result: `${name}!` }) as const
    await exchange('1', {}, { text: 'May I use ticket?', tools: [call('ticket', 'waiting')] })
    await exchange('2', { parent: 'a1', text: 'yes' }, { tools: [call('ticket', 'done'), call('gone', 'done')] })
    const { turns } = await ended(await open(), { profile: profile('tools:\n  ticket: {}\n') })
    assert.deepEqual(
      turns.map(({ question }) => question),
      ['yes'],
    )
    assert.equal(lastMessage(0), 'yes\n\n<results>\nticket: ticket!\n</results>')
    assert.equal(prompts[0]?.at(-2)?.content, 'May I use ticket?')
  })

  it('tells the judged examples that were told then, where the candidate still learns from those people', async () => {
    const [system, last] = botTurn('a', 'q1').prompt as [ChatMessage, ChatMessage]
    const told = [
      { role: 'user', content: 'Asked' },
      { role: 'assistant', content: 'Wished' },
    ] as const
    const example = { id: 'c', turn: 'x', at: 1 }
    const prompt = [system, ...told, last]
    await exchange('1', {}, { prompt, examples: [{ ...example, people: ['web:anna', 'web:bob'] }] })
    await exchange('2', { parent: 'a1' }, { prompt, examples: [{ ...example, people: ['web:anna', 'web:bob'] }] })
    const count = async (learn: string) => {
      prompts = []
      await ended(await open(), { profile: profile(`learn: ${learn}\n`) })
      return prompts.map((one) => one.filter(({ content }) => content === 'Wished').length)
    }
    assert.deepEqual(
      [await count('tenant'), await count('own'), await count('off')],
      [
        [1, 1],
        [0, 0],
        [0, 0],
      ],
    )
  })

  it('takes threads of one tenant, on channels that may be learned from, as many as was said', async () => {
    for (const id of ['1', '2', '3']) await exchange(id, { thread: `web:${id}` })
    await exchange('4', { thread: 'slack:4', channel: 'slack' })
    await exchange('5', { thread: 'web:5', tenant: 'other' })
    await store.feedback.vote({ turn: 'a1', person: 'web:bob', verdict: 'down', at: at() })
    await store.feedback.correct({ id: 'c', turn: 'a1', person: 'web:bob', text: 'Better', at: at() })
    const replays = await open()
    assert.deepEqual((await replays.choices()).tenants, ['other', 'web'])
    await assert.rejects(replays.start({ profile: profile() }, 'a'), { code: 'INPUT', message: /other, web/ })
    await assert.rejects(replays.start({ profile: profile(), tenant: 'T9' }, 'a'), { code: 'NOT_FOUND' })
    const threads = async (options: Partial<ReplayOptions>) => {
      const { turns } = await ended(replays, { tenant: 'web', ...options })
      return turns.map(({ thread }) => thread)
    }
    assert.deepEqual(await threads({}), ['web:3', 'web:2', 'web:1'])
    assert.deepEqual(await threads({ first: 'voted', threads: 2 }), ['web:1', 'web:3'])
    assert.deepEqual(await threads({ since: at(2).toISOString() }), ['web:3', 'web:2'])
    assert.deepEqual(await threads({ turns: 1 }), ['web:3'])
    await ended(replays, { tenant: 'web', first: 'voted', turns: 1 })
    assert.deepEqual(replays.last()?.turns[0]?.said, { up: 0, down: 1, corrections: ['Better'] })
    const wrong: readonly Partial<ReplayOptions>[] = [
      { threads: 0 },
      { turns: 1.5 },
      { minutes: 1e9 },
      { since: 'soon' },
    ]
    for (const options of wrong)
      await assert.rejects(replays.start({ profile: profile(), tenant: 'web', ...options }, 'a'), { code: 'INPUT' })
    const none = await open({ channels: [] })
    await assert.rejects(none.start({ profile: profile() }, 'a'), { code: 'NOT_FOUND', message: /HONE_TRAIN_ON/ })
  })

  it('keeps nothing: no turn, no vote, no profile', async () => {
    await exchange('1')
    await store.feedback.vote({ turn: 'a1', person: 'web:anna', verdict: 'up', at: at() })
    const replays = await open()
    const all = async () => [
      await store.turns.history('web:t', 99),
      await Array.fromAsync(store.feedback.judged()),
      await store.inbox.unsettled(),
      await store.profiles.list(),
    ]
    const before = await all()
    assert.equal((await ended(replays)).turns.length, 1)
    assert.deepEqual(await all(), before)
  })

  describe('that runs', () => {
    let held: PromiseWithResolvers<void>
    let reached: PromiseWithResolvers<void>
    let late: AbortController
    let replays: Replays
    let id: string
    beforeEach(async () => {
      for (const n of ['1', '2', '3']) await exchange(n, { thread: `web:${n}` })
      held = Promise.withResolvers()
      reached = Promise.withResolvers()
      late = new AbortController()
      // The second message waits to be searched for.
      const search = async () => {
        searches.push({ query: '', tenant: '', scopes: [], limit: 0 })
        if (searches.length === 2) {
          reached.resolve()
          await held.promise
        }
        return []
      }
      replays = await open({ knowledge: { search } as unknown as Knowledge, after: () => late.signal })
      id = (await replays.start({ profile: profile() }, 'a')).id
      await reached.promise
    })
    const rest = async () => {
      const watching = Array.fromAsync(replays.watch(id))
      held.resolve()
      return (await watching).length
    }

    it('is the only one, and can be followed from any message on', async () => {
      await assert.rejects(replays.start({ profile: profile() }, 'a'), { code: 'BUSY' })
      const [first] = await Array.fromAsync(replays.watch(id, 0, AbortSignal.abort()))
      assert.equal(first, undefined)
      const later = Array.fromAsync(replays.watch(id, 2))
      assert.equal(await rest(), 3)
      assert.deepEqual(
        (await later).map(({ thread }) => thread),
        ['web:1'],
      )
      assert.deepEqual(await Array.fromAsync(replays.watch('another')), [])
    })

    it('ends when it is cancelled, with what it had', async () => {
      assert.equal(replays.cancel(), true)
      assert.equal(await rest(), 1)
      const { state, turns, note, endedAt } = replays.last() ?? assert.fail()
      assert.deepEqual(
        [state, turns.length, note, endedAt instanceof Date],
        ['cancelled', 1, 'It was cancelled.', true],
      )
      assert.equal(replays.cancel(), false)
    })

    it('ends when its time is over, with what it had', async () => {
      late.abort()
      assert.equal(await rest(), 1)
      assert.deepEqual([replays.last()?.state, replays.last()?.note], ['done', 'It ended after 10 minutes.'])
    })

    it('is gone when somebody is forgotten', async () => {
      replays.clear()
      assert.equal(await rest(), 0)
      assert.equal(replays.last(), undefined)
      await assert.rejects(replays.promote(id, 'a'), { code: 'NOT_FOUND' })
    })
  })

  it('does not begin with threads that were read before somebody was forgotten', async () => {
    await exchange('1')
    const [read, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const threads: Store['past']['threads'] = async (only) => {
      const found = await store.past.threads(only)
      read.resolve()
      await go.promise
      return found
    }
    const replays = await open({ store: { ...store, past: { ...store.past, threads } } })
    const started = replays.start({ profile: profile() }, 'a')
    await read.promise
    replays.clear()
    go.resolve()
    await assert.rejects(started, { code: 'CANCELLED' })
    assert.equal(replays.last(), undefined)
  })

  it('refuses a candidate with a mistake, or of another name, before anything is answered', async () => {
    await exchange('1')
    const replays = await open()
    const refused = (text: string, message: RegExp) =>
      assert.rejects(replays.start({ profile: text }, 'a'), { code: 'INPUT', message })
    await refused(profile('sampling: { hot: 1 }\n'), /the candidate, line 3: the key "sampling\.hot" is not known/)
    await refused(profile().replace('desk', 'other'), /This bot's profile is "desk"; the candidate is named "other"/)
    assert.equal(replays.last(), undefined)
  })

  it('lets its candidate serve, which it keeps only then', async () => {
    await exchange('1')
    const profiles = await openProfiles({ store, file: parseProfile(profile(), 'desk.md'), log: silent })
    const replays = await open({ profiles })
    const { id, profile: version } = await ended(replays)
    assert.equal((await profiles.list()).length, 1)
    assert.equal(await replays.promote(id, 'web:boss'), version)
    assert.equal(profiles.serving.version, version)
    assert.match(await replays.source(), /You are Ash/)
    await assert.rejects(replays.promote('another', 'web:boss'), { code: 'NOT_FOUND' })
  })
})

describe('two replies to one message', () => {
  const side = (text: string, more: Partial<ReplaySide> = {}): ReplaySide => ({
    ...{ text, version: 'v0', profile: 'p', cites: [], declines: false, words: 2, seconds: 1 },
    ...more,
  })

  it('differ in words, in sources, or in what they refuse', () => {
    assert.deepEqual(changesBetween(side('20 days [1].'), side('20  days\n[3].')), [])
    assert.deepEqual(changesBetween(side('a', { cites: ['A', 'A'] }), side('b', { cites: ['A'] })), ['words'])
    assert.deepEqual(changesBetween(side('a', { cites: ['A'] }), side('a', { declines: true })), ['sources', 'refusal'])
  })

  it('are counted over all that the candidate answered', () => {
    const turn = { thread: 't', channel: 'web', question: 'q', askedAt: at(), turn: 'a', otherPassages: false }
    const said = { up: 0, down: 0, corrections: [] }
    const pair = (old: ReplaySide, fresh: ReplaySide) => ({
      ...turn,
      said,
      old,
      fresh,
      changes: changesBetween(old, fresh),
    })
    const summary = summaryOf([
      {
        ...pair(side('a', { cites: ['A'] }), side('b', { words: 5, declines: true })),
        said: { ...said, corrections: ['c'] },
      },
      { ...pair(side('a'), side('a', { seconds: 3 })), said: { ...said, up: 2, down: 1 } },
      { ...turn, said: { ...said, down: 1 }, old: side('a', { words: 99 }), why: 'no', changes: [] },
    ])
    assert.deepEqual(summary, {
      ...{ answered: 2, unanswered: 1, changed: 1, words: [4, 7], cites: [1, 0], declines: [0, 1], seconds: 2 },
      ...{ liked: [1, 0], disliked: [1, 1] },
    })
  })

  it('point at their sources by other numbers', () => {
    const [then, now] = [[source(1, 'a'), source(2, 'b')], [source(7, 'b')]]
    assert.equal(recite('One [1], two [2], three [3].', then, now), 'One, two [7], three [3].')
  })
})
