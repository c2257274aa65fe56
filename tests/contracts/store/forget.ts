import assert from 'node:assert/strict'
import type { Store } from '../../../src/ports/store.ts'
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
  it('never handles a forgotten event again, nor what still waited', async () => {
    await store().inbox.claim(inbound('event:q'))
    await store().feedback.forget('web:anna')
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
  }).timeout(30_000)
}
