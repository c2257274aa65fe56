import assert from 'node:assert/strict'
import type { Store } from '../../../src/ports/store.ts'
import { at, code, runningJob } from './samples.ts'

/** Jobs, the serving log and profiles. */
export function learningContract(store: () => Store): void {
  it('runs one job of a kind at a time', async () => {
    const starts = await Promise.allSettled(['j1', 'j2', 'j3'].map((id) => store().jobs.start(runningJob(id))))
    const refused = starts.filter((start) => start.status === 'rejected')
    assert.equal(refused.length, 2)
    assert.ok(refused.every((start) => code('BUSY')(start.reason)))
  })
  it('starts the next job after the first has ended', async () => {
    await store().jobs.start(runningJob('j1'))
    await store().jobs.update('j1', { state: 'failed', endedAt: at(4), detail: { error: 'Out of memory' } })
    await store().jobs.start(runningJob('j2'))
    const ended = { ...runningJob('j1'), state: 'failed', endedAt: at(4), detail: { error: 'Out of memory' } }
    assert.deepEqual(await store().jobs.list(5), [runningJob('j2'), ended])
    assert.deepEqual(await store().jobs.get('j1'), ended)
    assert.equal(await store().jobs.get('j9'), undefined)
    await assert.rejects(store().jobs.update('j9', {}), code('NOT_FOUND'))
  })
  it('serves the bare base until a version is promoted, and logs who said so', async () => {
    assert.equal(await store().serving.current(), 'v0')
    await store().serving.set('v1', 'web:anna', 'promoted by the gate')
    await store().serving.set('v0', 'web:bob', 'rollback')
    assert.equal(await store().serving.current(), 'v0')
    const [last] = await store().serving.log(1)
    assert.deepEqual({ ...last, at: 0 }, { version: 'v0', by: 'web:bob', why: 'rollback', at: 0 })
    assert.equal((await store().serving.log(9)).length, 2)
  })
  it('makes the profile version that was put last the newest', async () => {
    await store().profiles.put('default', 'h1', 'Be brief.')
    await store().profiles.put('default', 'h2', 'Be kind.')
    await store().profiles.put('default', 'h2', 'Be kind.')
    await store().profiles.put('default', 'h1', 'Be brief.')
    assert.deepEqual(
      (await store().profiles.list()).map((profile) => profile.version),
      ['h1', 'h2'],
    )
    assert.deepEqual(await store().profiles.get('h2'), { name: 'default', content: 'Be kind.' })
    assert.equal(await store().profiles.get('h3'), undefined)
  })
}
