import assert from 'node:assert/strict'
import type { PastOnly } from '../../../src/ports/past.ts'
import type { Store } from '../../../src/ports/store.ts'
import { at, botTurn, userTurn } from './samples.ts'

/** Looking back at threads. */
export function pastContract(store: () => Store): void {
  const thread = async (name: string, minute: number, place: { tenant?: string; channel?: string } = {}) => {
    const where = { thread: name, at: at(minute), ...place }
    await store().turns.appendUser(userTurn(`q-${name}`, where))
    await store().turns.appendBot([botTurn(`a-${name}`, `q-${name}`, where)], `event:q-${name}`)
  }
  const threads = (only: Partial<PastOnly> = {}) =>
    store().past.threads({ tenant: 'web', channels: ['web'], first: 'recent', limit: 9, ...only })

  it('lists the threads of a tenant that have replies, the newest first, or those that were judged', async () => {
    await thread('old', 1)
    await thread('voted', 2)
    await thread('corrected', 3)
    await thread('duelled', 4)
    await thread('new', 5)
    await store().turns.appendUser(userTurn('unanswered', { thread: 'unanswered' }))
    await store().feedback.vote({ turn: 'a-voted', person: 'web:bob', verdict: 'up', at: at() })
    await store().feedback.correct({ id: 'c', turn: 'a-corrected', person: 'web:bob', text: 'Better', at: at() })
    const duel = {
      id: 'd',
      left: 'a-duelled',
      right: 'a-duelled',
      person: 'web:bob',
      outcome: 'tie',
      at: at(),
    } as const
    await store().feedback.duel(duel)
    assert.deepEqual(await threads(), ['new', 'duelled', 'corrected', 'voted', 'old'])
    assert.deepEqual(await threads({ first: 'voted' }), ['duelled', 'corrected', 'voted', 'new', 'old'])
    assert.deepEqual(await threads({ since: at(4) }), ['new', 'duelled'])
    assert.deepEqual(await threads({ limit: 1 }), ['new'])
  })
  it('looks back within one tenant, at channels that are named', async () => {
    await thread('here', 1)
    await thread('there', 2, { tenant: 'slack:T1', channel: 'slack' })
    await thread('elsewhere', 3, { channel: 'api' })
    assert.deepEqual(await threads(), ['here'])
    assert.deepEqual(await threads({ channels: [] }), [])
    assert.deepEqual(await threads({ tenant: 'slack:T1', channels: ['slack', 'web'] }), ['there'])
    assert.deepEqual(await store().past.tenants(['web', 'slack']), ['slack:T1', 'web'])
    assert.deepEqual(await store().past.tenants(['web']), ['web'])
    assert.deepEqual(await store().past.tenants(), ['web', 'slack:T1'])
    assert.deepEqual(await store().past.tenants([]), [])
    await store().feedback.forget('web:anna')
    assert.deepEqual(await threads(), [])
  })
}
