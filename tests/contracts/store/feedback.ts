import assert from 'node:assert/strict'
import type { BotTurn, Duel, JudgedOnly, NewBotTurn, Store } from '../../../src/ports/store.ts'
import { at, botTurn, code, dialogue, judgedOf, userTurn } from './samples.ts'

/** Votes and corrections. */
export function feedbackContract(store: () => Store): void {
  const vote = { turn: 'a', person: 'web:anna', at: at() }

  it('counts the last vote of a person, and repeating it changes nothing', async () => {
    await dialogue(store())
    await store().feedback.vote({ ...vote, verdict: 'down' })
    await store().feedback.vote({ ...vote, verdict: 'up', reason: 'short', at: at(1) })
    await store().feedback.vote({ ...vote, verdict: 'up', at: at(2) })
    await store().feedback.vote({ ...vote, person: 'web:bob', verdict: 'down', at: at(3) })
    const { votes } = await store().feedback.ofTurn('a')
    assert.deepEqual(votes, [
      { ...vote, verdict: 'up', reason: 'short', at: at(1) },
      { ...vote, person: 'web:bob', verdict: 'down', at: at(3) },
    ])
  })
  it('adds a reason that comes after the thumb', async () => {
    await dialogue(store())
    await store().feedback.vote({ ...vote, verdict: 'down' })
    await store().feedback.vote({ ...vote, verdict: 'down', reason: 'outdated', at: at(1) })
    assert.equal((await store().feedback.ofTurn('a')).votes[0]?.reason, 'outdated')
  })
  it('does not count a withdrawn vote', async () => {
    await dialogue(store())
    await store().feedback.vote({ ...vote, verdict: 'up' })
    await store().feedback.vote({ ...vote, verdict: 'none' })
    await store().feedback.vote({ ...vote, verdict: 'none' })
    assert.deepEqual(await store().feedback.ofTurn('a'), { votes: [], corrections: [], duels: [] })
    assert.deepEqual(await store().feedback.counts(), [])
  })
  it('refuses feedback on a turn that does not exist', async () => {
    await assert.rejects(store().feedback.vote({ ...vote, verdict: 'up' }), code('NOT_FOUND'))
    const correction = { id: 'c1', turn: 'a', person: 'web:anna', text: 'Better', at: at() }
    await assert.rejects(store().feedback.correct(correction), code('NOT_FOUND'))
  })
  it('keeps a correction once per id', async () => {
    await dialogue(store())
    const correction = { id: 'c1', turn: 'a', person: 'web:anna', text: 'Better', at: at() }
    await store().feedback.correct(correction)
    await store().feedback.correct(correction)
    assert.deepEqual((await store().feedback.ofTurn('a')).corrections, [correction])
  })
  it('counts what one person said in one tenant', async () => {
    await dialogue(store())
    const other = { tenant: 'slack:T2', thread: 'slack:T2:C1:1' }
    await store().turns.appendUser(userTurn('q2', { ...other, event: 'event:q2' }))
    await store().turns.appendBot([botTurn('b', 'q2', other)], 'event:q2')
    await store().feedback.vote({ ...vote, verdict: 'up' })
    await store().feedback.vote({ ...vote, turn: 'b', verdict: 'down' })
    await store().feedback.vote({ ...vote, person: 'web:bob', verdict: 'down' })
    const correction = { turn: 'a', person: 'web:anna', text: 'Better', at: at() }
    await store().feedback.correct({ ...correction, id: 'c1' })
    await store().feedback.correct({ ...correction, id: 'c2', person: 'web:bob' })
    const turn = await store().turns.get('a')
    const here = await store().feedback.countsOf(turn?.tenant ?? '', 'web:anna')
    assert.deepEqual(here, { up: 1, down: 0, corrections: 1 })
    const there = await store().feedback.countsOf('slack:T2', 'web:anna')
    assert.deepEqual(there, { up: 0, down: 1, corrections: 0 })
    const sums = async (tenant?: string) => (await store().feedback.counts(tenant)).map(({ up, down }) => [up, down])
    assert.deepEqual([await sums(), await sums('slack:T2')], [[[1, 2]], [[0, 1]]])
    assert.deepEqual(await sums(turn?.tenant), [[1, 1]])
  })
  it('counts votes by day and version', async () => {
    await dialogue(store())
    await store().turns.appendBot([botTurn('b', 'q', { version: 'v1' })], 'event:retry')
    const nextDay = at(12 * 60)
    await store().feedback.vote({ ...vote, verdict: 'up' })
    await store().feedback.vote({ ...vote, person: 'web:bob', verdict: 'up', at: new Date(nextDay.getTime() - 1) })
    await store().feedback.vote({ ...vote, person: 'web:cleo', verdict: 'down', at: nextDay })
    await store().feedback.vote({ ...vote, turn: 'b', verdict: 'down' })
    assert.deepEqual(await store().feedback.counts(), [
      { day: '2026-05-01', version: 'v0', up: 2, down: 0 },
      { day: '2026-05-01', version: 'v1', up: 0, down: 1 },
      { day: '2026-05-02', version: 'v0', up: 0, down: 1 },
    ])
  })
}

/** What training reads. */
export function judgedContract(store: () => Store): void {
  const duel: Duel = { id: 'd1', left: 'a', right: 'b', person: 'web:anna', outcome: 'left', at: at() }
  const vote = { person: 'web:anna', verdict: 'up', at: at() } as const

  it('groups replies that were given one prompt under one parent, and no others', async () => {
    await dialogue(store())
    const changed = [{ role: 'user', content: 'Another prompt' }] as const
    await store().turns.appendBot([botTurn('b', 'q'), botTurn('c', 'q', { prompt: changed })], 'event:retry')
    await store().turns.appendUser(userTurn('q2', { thread: 'web:u' }))
    const elsewhere = botTurn('d', 'q2', { thread: 'web:u', prompt: botTurn('a', 'q').prompt })
    await store().turns.appendBot([elsewhere], 'event:q2')
    for (const turn of ['d', 'c', 'b']) await store().feedback.vote({ ...vote, turn })
    const groups = (await judgedOf(store())).map((group) => group.replies.map((reply) => reply.turn.id))
    assert.deepEqual(groups, [['a', 'b'], ['c'], ['d']])
  })
  it('leaves out what is asked before a tool is used, which no model said', async () => {
    await store().turns.appendUser(userTurn('q'))
    const tools = [{ name: 'ticket', arguments: {}, state: 'waiting' }] as const
    await store().turns.appendBot([botTurn('a', 'q', { tools })], 'event:q')
    await store().feedback.vote({ turn: 'a', person: 'web:anna', verdict: 'up', at: at() })
    assert.deepEqual(await judgedOf(store()), [])
    await store().turns.appendBot([botTurn('b', 'q')], 'event:again')
    await store().feedback.vote({ turn: 'b', person: 'web:anna', verdict: 'up', at: at() })
    assert.deepEqual(
      (await judgedOf(store())).map(({ replies }) => replies.map(({ turn }) => turn.id)),
      [['b']],
    )
  })
  it('tells a group whole: prompt, place, votes, corrections and the duels between its replies', async () => {
    const reply = await dialogue(store())
    await store().turns.appendBot([botTurn('b', 'q')], 'event:retry')
    await store().turns.appendUser(userTurn('q2', { parent: 'b' }))
    await store().turns.appendBot([botTurn('a2', 'q2')], 'event:q2')
    const correction = { id: 'c1', turn: 'a', person: 'web:bob', text: 'Better', at: at() }
    await store().feedback.vote({ ...vote, turn: 'a' })
    await store().feedback.correct(correction)
    await store().feedback.duel({ ...duel, outcome: 'tie' })
    await store().feedback.duel(duel)
    await store().feedback.duel({ ...duel, id: 'd2', right: 'a2' })
    const [group, ...rest] = await judgedOf(store())
    assert.deepEqual(rest, [])
    assert.deepEqual(group, {
      ...{ tenant: 'web', channel: 'web', thread: 'web:t', promptHash: reply.prompt },
      prompt: botTurn('a', 'q').prompt,
      explaining: botTurn('a', 'q').prompt,
      replies: [
        { turn: reply, votes: [{ ...vote, turn: 'a' }], corrections: [correction] },
        { turn: (await store().turns.get('b')) as BotTurn, votes: [], corrections: [] },
      ],
      duels: [duel],
    })
  })
  it('tells the group of one reply, and the newest ones, oldest first', async () => {
    for (const id of ['1', '2', '3', '4']) {
      const place = { thread: `web:${id}` }
      await store().turns.appendUser(userTurn(`q${id}`, place))
      await store().turns.appendBot([botTurn(`a${id}`, `q${id}`, place)], `event:q${id}`)
      if (id !== '4') await store().feedback.vote({ turn: `a${id}`, person: 'web:bob', verdict: 'up', at: at() })
    }
    const told = async (only: JudgedOnly) =>
      (await Array.fromAsync(store().feedback.judged(only))).map(({ replies }) => replies[0]?.turn.id)
    assert.deepEqual(await told({ turn: 'a2' }), ['a2'])
    assert.deepEqual(await told({ turn: 'a4' }), [])
    assert.deepEqual(await told({ tenant: 'web', newest: 2 }), ['a2', 'a3'])
  })
  it('tells a prompt without the examples that stood in it', async () => {
    await store().turns.appendUser(userTurn('q'))
    const [system, last] = botTurn('a', 'q').prompt
    const pair = [
      { role: 'user', content: 'Asked before' },
      { role: 'assistant', content: 'Said better' },
    ] as const
    const prompt = [system, ...pair, last] as NewBotTurn['prompt']
    const examples = [{ id: 'c', turn: 'x', people: ['web:bob'], at: 1 }]
    const [reply] = await store().turns.appendBot([botTurn('a', 'q', { prompt, examples })], 'event:q')
    await store().feedback.vote({ turn: 'a', person: 'web:bob', verdict: 'up', at: at() })
    assert.deepEqual((await judgedOf(store()))[0]?.prompt, [system, last])
    assert.deepEqual(await store().turns.prompt(reply?.prompt ?? ''), prompt)
  })
  it('leaves out what nobody judged and what another tenant judged', async () => {
    await dialogue(store())
    const place = { tenant: 'other', thread: 'slack:u' }
    await store().turns.appendUser(userTurn('q2', place))
    await store().turns.appendBot([botTurn('b', 'q2', place)], 'event:q2')
    assert.deepEqual(await judgedOf(store()), [])
    await store().feedback.vote({ ...vote, turn: 'b' })
    assert.deepEqual(await judgedOf(store(), 'web'), [])
    assert.equal((await judgedOf(store(), 'other')).length, 1)
    assert.equal((await judgedOf(store())).length, 1)
  })
  it('tells more groups than fit a page, each once, oldest first', async () => {
    const names = Array.from({ length: 230 }, (_, i) => `${i}`)
    await store().turns.appendUser(userTurn('q'))
    const replies = names.map((i) => botTurn(`a${i}`, 'q', { prompt: [{ role: 'user', content: i }] }))
    await store().turns.appendBot(replies, 'event:q')
    await Promise.all(replies.map(({ id }) => store().feedback.vote({ ...vote, turn: id })))
    const seen = (await judgedOf(store())).map((group) => group.replies[0]?.turn.id)
    assert.deepEqual(
      seen,
      names.map((i) => `a${i}`),
    )
  })
}
