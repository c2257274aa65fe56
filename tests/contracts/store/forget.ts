import assert from 'node:assert/strict'
import type { BotTurn, NewBotTurn, Store } from '../../../src/ports/store.ts'
import { at, botTurn, code, dialogue, inbound, userTurn } from './samples.ts'

/** The inbox. */
export function inboxContract(store: () => Store): void {
  it('claims an event once, however often and however fast it comes', async () => {
    const claims = await Promise.all(Array.from({ length: 10 }, () => store().inbox.claim(inbound('e1'))))
    assert.equal(claims.filter(Boolean).length, 1)
    await store().inbox.settle('e1', 'ignored')
    assert.equal(await store().inbox.claim(inbound('e1')), false)
  })
  it('gives unsettled events back as they came, oldest first', async () => {
    const retry = { ...inbound('e1'), kind: 'retry', turn: 'a' } as const
    const { text: _, ...event } = retry
    await store().inbox.claim(event)
    await store().inbox.claim(inbound('e0'))
    await store().inbox.claim(inbound('e2'))
    await store().inbox.settle('e2', 'given-up', 'The engine failed three times.')
    assert.deepEqual(await store().inbox.unsettled(), [event, inbound('e0')])
  })
  it('keeps what is learned of an event later, as long as it is not settled', async () => {
    const begun = { ...inbound('e1'), begun: ['m1'] }
    await store().inbox.claim(inbound('e1'))
    await store().inbox.amend(begun)
    assert.deepEqual(await store().inbox.unsettled(), [begun])
    await store().inbox.settle('e1', 'answered')
    await store().inbox.amend(begun)
    await store().inbox.amend({ ...begun, id: 'never-claimed' })
    assert.deepEqual(await store().inbox.unsettled(), [])
  })
}

/** Deleting a person. */
export function forgetContract(store: () => Store): void {
  it('forgets what a person wrote with all below it, and what they said of other turns', async () => {
    await dialogue(store())
    await store().messages.link('a', [{ thread: 'web:t', id: 'm1' }])
    await store().turns.appendUser(userTurn('q2', { parent: 'a', person: 'web:bob' }))
    await store().turns.appendBot([botTurn('a2', 'q2')], 'event:q2')
    await store().turns.appendUser(userTurn('other', { thread: 'web:u', person: 'web:bob' }))
    const shared = botTurn('b', 'other', { thread: 'web:u', prompt: botTurn('a', 'q').prompt })
    const [kept] = await store().turns.appendBot([shared], 'event:other')
    for (const turn of ['a2', 'b']) await store().feedback.vote({ turn, person: 'web:anna', verdict: 'up', at: at() })
    await store().feedback.vote({ turn: 'b', person: 'web:bob', verdict: 'down', at: at() })
    // 4 turns, 1 link, 2 votes, 1 prompt: the other prompt still belongs to Bob's reply.
    assert.equal(await store().feedback.forget('web:anna'), 8)
    for (const turn of ['q', 'a', 'q2', 'a2']) assert.equal(await store().turns.get(turn), undefined)
    assert.equal(await store().messages.find({ thread: 'web:t', id: 'm1' }), undefined)
    assert.equal((await store().feedback.ofTurn('b')).votes.length, 1)
    assert.deepEqual(await store().turns.prompt(kept?.prompt ?? ''), shared.prompt)
    assert.equal(await store().feedback.forget('web:anna'), 0)
  })
  it('empties profiles that a forgotten person is behind, and takes their examples out of the prompts they began', async () => {
    const { profiles, turns, feedback } = store()
    const made = { by: 'tune-prompt', job: 'j', verdict: 'promote', examples: 1, people: ['web:anna'] } as const
    await profiles.put('desk', 'tuned', 'with Anna’s words', made)
    await profiles.put('desk', 'other', 'with Bob’s words', { ...made, people: ['web:bob'] })
    await profiles.serve({ name: 'desk', version: 'tuned', by: 'web:anna', why: 'promoted' })
    const [system, last] = botTurn('b', 'q2').prompt
    const own = [
      { role: 'user', content: 'Asked by Anna' },
      { role: 'assistant', content: 'Wanted by Anna' },
    ] as const
    const near = [
      { role: 'user', content: 'Asked by Cleo' },
      { role: 'assistant', content: 'Wanted by Cleo' },
    ] as const
    const told = [{ id: 'c', turn: 'c', people: ['web:cleo'], at: 3 }]
    const prompt = [system, ...own, ...near, last] as NewBotTurn['prompt']
    await turns.appendUser(userTurn('q2', { person: 'web:bob' }))
    await turns.appendBot([botTurn('b', 'q2', { profile: 'tuned', prompt, examples: told })], 'event:q2')
    await feedback.forget('web:anna')
    const kept = (await turns.get('b')) as BotTurn
    assert.deepEqual(await turns.prompt(kept.prompt), [system, ...near, last])
    assert.deepEqual(kept.examples, [{ id: 'c', turn: 'c', people: ['web:cleo'], at: 1 }])
    assert.deepEqual([await profiles.get('tuned'), await profiles.forgotten()], [undefined, ['tuned']])
    assert.deepEqual(
      (await profiles.list()).map(({ version }) => version),
      ['other'],
    )
    assert.equal((await profiles.log('desk'))[0]?.by, 'forgotten')
  })
  it('takes what a forgotten person is behind out of the prompts of others, and leaves them the rest', async () => {
    await dialogue(store())
    await store().turns.appendUser(userTurn('q2', { person: 'web:bob', thread: 'web:u' }))
    const [system, last] = botTurn('b', 'q2').prompt
    const pair = (text: string) =>
      [
        { role: 'user', content: `Asked ${text}` },
        { role: 'assistant', content: `Said ${text}` },
      ] as const
    const examples = [
      { id: 'a', turn: 'a', people: ['web:anna'], at: 1 },
      { id: 'c', turn: 'c', people: ['web:cleo'], at: 3 },
    ]
    const prompt = [system, ...pair('anna'), ...pair('cleo'), last] as NewBotTurn['prompt']
    await store().turns.appendBot([botTurn('b', 'q2', { thread: 'web:u', prompt, examples })], 'event:q2')
    await store().feedback.forget('web:anna')
    const kept = (await store().turns.get('b')) as BotTurn
    assert.deepEqual(kept.examples, [{ id: 'c', turn: 'c', people: ['web:cleo'], at: 1 }])
    assert.deepEqual(await store().turns.prompt(kept.prompt), [system, ...pair('cleo'), last])
    await store().feedback.forget('web:cleo')
    const rest = (await store().turns.get('b')) as BotTurn
    assert.deepEqual([rest.examples, await store().turns.prompt(rest.prompt)], [undefined, [system, last]])
    await assert.rejects(store().turns.prompt(kept.prompt), code('NOT_FOUND'))
  })
  it('never handles a forgotten event again, nor what still waited', async () => {
    await store().inbox.claim(inbound('event:q'))
    await store().feedback.forget('web:anna')
    await store().inbox.amend(inbound('event:q'))
    assert.deepEqual(await store().inbox.unsettled(), [])
    assert.equal(await store().inbox.claim(inbound('event:q')), false)
    await assert.rejects(store().turns.appendUser(userTurn('q')), code('NOT_FOUND'))
    await assert.rejects(store().turns.appendBot([botTurn('a', null)], 'event:q'), code('NOT_FOUND'))
  })
  it('forgets whole while others go on writing', async () => {
    await store().turns.appendUser(userTurn('q'))
    const others = Array.from({ length: 20 }, async (_, i) => {
      const theirs = { person: 'web:bob', thread: `web:${i}` }
      await store().turns.appendUser(userTurn(`b${i}`, theirs))
      await store().turns.appendBot([botTurn(`a${i}`, `b${i}`, theirs)], `event:b${i}`)
      await store().feedback.vote({ turn: `a${i}`, person: 'web:bob', verdict: 'up', at: at() })
    })
    const below = Array.from({ length: 20 }, (_, i) => store().turns.appendBot([botTurn(`c${i}`, 'q')], `event:c${i}`))
    const forgotten = store().feedback.forget('web:anna')
    const late = await Promise.allSettled(below)
    await Promise.all([...others, forgotten])
    for (const reply of late) if (reply.status === 'rejected') assert.equal(reply.reason.code, 'NOT_FOUND')
    for (let i = 0; i < 20; i++) {
      assert.equal((await store().feedback.ofTurn(`a${i}`)).votes.length, 1)
      assert.equal(await store().turns.get(`c${i}`), undefined)
    }
  })
  it('forgets a thread deeper than a thousand turns', async () => {
    await store().turns.appendUser(userTurn('a0'))
    const chain = Array.from({ length: 1200 }, (_, i) => botTurn(`a${i + 1}`, `a${i}`))
    await store().turns.appendBot(chain, 'event:a0')
    assert.equal((await store().turns.history('web:t', 5000)).length, 1201)
    // Each had a prompt of its own.
    assert.equal(await store().feedback.forget('web:anna'), 2401)
  })
}
