import assert from 'node:assert/strict'
import { type Given, once } from '../../../adapters/shared/once.ts'
import type { Store } from '../../../src/ports/store.ts'
import { sqlite } from '../../../src/store/index.ts'

describe('a command that is done once', () => {
  let store: Store
  beforeEach(async () => {
    store = await sqlite(':memory:')
  })
  afterEach(() => store[Symbol.asyncDispose]())

  const person = { id: 'team:anna', name: 'Anna' }
  const given: Given = { id: 'c1', text: 'promote v1', tenant: 'team', channel: 'team', thread: 'team:t', person }
  const waiting = async () => (await store.inbox.unsettled()).map(({ id, channel }) => [id, channel])

  it('is on disk, under a channel that nobody has, until it was answered', async () => {
    let during: unknown
    const isNew = await once(store, given, async () => {
      during = await waiting()
    })
    assert.deepEqual([isNew, during, await waiting()], [true, [['c1', 'team:command']], []])
  })

  it('is not done when it is sent again', async () => {
    await once(store, given, async () => undefined)
    assert.equal(await once(store, given, () => assert.fail('done twice')), false)
  })

  it('that failed is over too: who gave it was told', async () => {
    await assert.rejects(once(store, given, () => Promise.reject(new Error('no'))))
    assert.deepEqual(await waiting(), [])
  })
})
