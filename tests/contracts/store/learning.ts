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
    assert.deepEqual({ ...last, at: 0 }, { version: 'v0', by: 'web:bob', why: 'rollback', at: 0, tenant: '' })
    assert.equal((await store().serving.log(9)).length, 2)
  })
  it('knows of each tenant what served it, apart from the others', async () => {
    const { serving } = store()
    assert.deepEqual([await serving.current('slack:T1'), await serving.tenants()], ['', []])
    await serving.set('v1', 'cli', 'command')
    await serving.set('v2', 'slack:T1:U1', 'command', 'slack:T1')
    await serving.set('v3', 'cli', 'command')
    const current = async (...tenants: readonly string[]) => Promise.all(tenants.map((one) => serving.current(one)))
    assert.deepEqual(await current('', 'slack:T1', 'slack:T2'), ['v3', 'v2', ''])
    const logged = async (tenant?: string) => (await serving.log(9, tenant)).map(({ version }) => version)
    assert.deepEqual(
      [await logged(), await logged(''), await logged('slack:T1')],
      [['v3', 'v2', 'v1'], ['v3', 'v1'], ['v2']],
    )
    await serving.set('', 'slack:T1:U1', 'rollback', 'slack:T1')
    assert.deepEqual([await serving.current('slack:T1'), await serving.tenants()], ['', ['slack:T1']])
  })
  it('keeps who does not want receipts, also when they are forgotten, until they want them again', async () => {
    const { wishes, feedback } = store()
    const wanted = async () => [await wishes.receipts('web:anna'), await wishes.receipts('web:bob')]
    assert.deepEqual(await wanted(), [true, true])
    await wishes.setReceipts('web:anna', false)
    await wishes.setReceipts('web:anna', false)
    await feedback.forget('web:anna')
    assert.deepEqual(await wanted(), [false, true])
    await wishes.setReceipts('web:anna', true)
    assert.deepEqual(await wanted(), [true, true])
  })
  it('keeps a profile version once, and lists the newest first', async () => {
    await store().profiles.put('default', 'h1', 'Be brief.')
    await store().profiles.put('default', 'h2', 'Be kind.')
    await store().profiles.put('default', 'h1', 'Be brief.')
    assert.deepEqual(
      (await store().profiles.list()).map((profile) => profile.version),
      ['h2', 'h1'],
    )
    assert.equal((await store().profiles.get('h2'))?.content, 'Be kind.')
    assert.equal(await store().profiles.get('h3'), undefined)
  })
  it('tells what made a profile version that nobody wrote', async () => {
    const made = { by: 'tune-prompt', job: 'j1', verdict: 'hold', examples: 1, people: ['web:anna'] } as const
    await store().profiles.put('default', 'h1', 'Be brief.')
    await store().profiles.put('default', 'h2', 'Be kind.', made)
    assert.deepEqual(
      (await store().profiles.list()).map((one) => one.made),
      [made, undefined],
    )
    assert.deepEqual(await store().profiles.forgotten(), [])
  })
  it('logs which profile of a name served, who said so and why, newest first', async () => {
    const { profiles } = store()
    await profiles.serve({ name: 'default', version: 'h1', by: 'start', why: 'file' })
    await profiles.serve({ name: 'other', version: 'o1', by: 'start', why: 'file' })
    await profiles.serve({ name: 'default', version: 'h2', by: 'web:anna', why: 'promoted' })
    const log = await profiles.log('default')
    assert.deepEqual(
      log.map(({ version, by, why }) => [version, by, why]),
      [
        ['h2', 'web:anna', 'promoted'],
        ['h1', 'start', 'file'],
      ],
    )
    assert.ok(log[0]?.at instanceof Date)
  })
}
