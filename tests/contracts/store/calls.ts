import assert from 'node:assert/strict'
import type { Store, ToolCall } from '../../../src/ports/store.ts'
import { botTurn, code, inbound, userTurn } from './samples.ts'

const call = (text: string): ToolCall => ({ name: 'ticket', arguments: { text }, state: 'done', result: 'T-1', ms: 3 })

/** Uses of tools before there is a reply. */
export function callsContract(store: () => Store): void {
  it('keeps what tools did for an event, each once and in order, until a reply has it', async () => {
    const event = inbound('event:q')
    await store().inbox.claim(event)
    for (const nth of [1, 0, 1]) await store().calls.keep(event, nth, call(`use ${nth}`))
    await store().calls.keep(event, 1, call('again'))
    assert.deepEqual(await store().calls.of(event.id), [call('use 0'), call('use 1')])
    assert.deepEqual(await store().calls.of('event:other'), [])
    await store().turns.appendUser(userTurn('q'))
    assert.equal((await store().calls.of(event.id)).length, 2, 'a message without a reply keeps them')
    await assert.rejects(store().turns.appendBot([botTurn('a', 'no such turn')], event.id), code('NOT_FOUND'))
    assert.equal((await store().calls.of(event.id)).length, 2, 'and so does a reply that was not kept')
    await store().turns.appendBot([botTurn('a', 'q')], event.id)
    assert.deepEqual(await store().calls.of(event.id), [])
  })
  it('forgets what tools did for a person, and keeps nothing more of an event that was forgotten', async () => {
    const event = inbound('event:q')
    await store().inbox.claim(event)
    await store().calls.keep(event, 0, call('x'))
    await store().feedback.forget('web:anna')
    assert.deepEqual(await store().calls.of(event.id), [])
    await assert.rejects(store().calls.keep(event, 1, call('y')), code('NOT_FOUND'))
  })
}
