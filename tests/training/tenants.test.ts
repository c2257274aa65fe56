import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silent } from '../../src/log.ts'
import type { TrainOptions } from '../../src/ports/learning.ts'
import { forgetInTraining } from '../../training/index.ts'
import { dueRun } from '../../training/schedule.ts'
import { fill, type House, type HouseOptions, openHouse } from './house.ts'

const trainOn = ['web', 'slack', 'teams']

/** Where tenants learn apart; with votes on the page and in two workspaces. */
async function open(more: HouseOptions = {}): Promise<House> {
  const house = await openHouse({ apart: true, more: { trainOn }, pairs: 40, ...more })
  await fill(house.store, 45, 'slack')
  await fill(house.store, 50, 'teams')
  return house
}

async function train({ learning }: House, options?: TrainOptions): Promise<void> {
  const watching = Array.fromAsync(learning.watch())
  await learning.start('somebody', options)
  await watching
}

async function serving({ slot }: House, ...tenants: readonly string[]): Promise<readonly (string | undefined)[]> {
  return Promise.all(tenants.map(async (tenant) => (await slot.of?.(tenant))?.version.id))
}

const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)

describe('tenants that learn apart', () => {
  it('train on their own feedback alone, and are alone served by what comes of it', async () => {
    await using house = await open()
    await train(house, { tenant: 'slack' })
    assert.deepEqual(await serving(house, 'slack', 'teams', 'web'), ['v1', 'v0', 'v0'])
    assert.deepEqual([await house.store.serving.current('slack'), await house.store.serving.current()], ['v1', 'v0'])
    const { manifest } = await house.registry.get('v1')
    assert.equal(manifest.tenant, 'slack')
    assert.ok(manifest.pairs.length > 30 && manifest.pairs.every(({ chosen }) => chosen.startsWith('good-slack-')))
    const files = ['train.jsonl', 'holdout.jsonl', 'replay.jsonl', 'dataset.json']
    const dataset = house.trainer.jobs[0]?.dataset ?? ''
    const text = (await Promise.all(files.map((name) => readFile(join(dataset, name), 'utf8')))).join('')
    assert.ok(text.includes('slack:anna') && !/(web|teams):anna/.test(text))
  })

  it('are told of their own rows alone', async () => {
    await using house = await open({ pairs: 7 })
    const { rows, leftOut } = await house.learning.plan({ tenant: 'slack' })
    assert.deepEqual([(rows.pairs ?? 0) + (rows.heldOut ?? 0), leftOut], [45, {}])
    assert.match((await house.learning.plan({ tenant: 'web' })).refusal ?? '', /^7 usable pairs/)
  })

  it('see, promote and roll back their own versions and the operator’s, and know nothing of those of others', async () => {
    await using house = await open()
    const { learning, store } = house
    await train(house, { tenant: 'slack' })
    await train(house, { tenant: 'terminal' })
    await train(house, { tenant: 'teams' })
    assert.deepEqual(await serving(house, 'slack', 'teams', 'web', 'new'), ['v1', 'v3', 'v2', 'v2'])
    assert.deepEqual(ids(await learning.versions('slack')), ['v0', 'v1', 'v2'])
    assert.deepEqual(ids(await learning.versions('web')), ['v0', 'v2'])
    assert.deepEqual(ids(await learning.versions()), ['v0', 'v1', 'v2', 'v3'])
    assert.deepEqual(ids((await learning.versions()).filter((one) => one.serving)), ['v1', 'v2', 'v3'])
    for (const [version, tenant] of [
      ['v3', 'slack'],
      ['v1', 'web'],
    ] as const)
      await assert.rejects(learning.promote(version, 'x', tenant), {
        code: 'NOT_FOUND',
        message: `There is no version ${version}.`,
      })
    await learning.promote('v2', 'x', 'slack')
    assert.equal(await learning.rollback('x', 'slack'), 'v1')
    assert.equal(await learning.rollback('x', 'slack'), 'v2')
    assert.equal(await store.serving.current('slack'), '', 'it follows the operator again')
    await assert.rejects(learning.rollback('x', 'slack'), { code: 'NOT_FOUND' })
    assert.deepEqual(await serving(house, 'slack', 'teams', 'web'), ['v2', 'v3', 'v2'])
  })

  it('let the operator say less: a version goes where it was trained for, and the only tenant is meant', async () => {
    await using house = await openHouse({ apart: true, more: { trainOn }, pairs: 0 })
    await fill(house.store, 45, 'slack')
    await train(house)
    assert.deepEqual(await serving(house, 'slack', 'web'), ['v1', 'v0'])
    assert.equal(await house.learning.rollback('cli'), 'v0')
    await house.learning.promote('v1', 'cli')
    assert.deepEqual(await serving(house, 'slack', 'web'), ['v1', 'v0'])
  })

  it('neither see nor cancel the runs of others', async () => {
    const seen: string[] = []
    let cancelled: Promise<readonly boolean[]> | undefined
    await using house = await open({
      trainer: {
        onStep: (step) => {
          if (step === 2)
            cancelled ??= Promise.all(['teams', 'web', 'slack'].map((one) => house.learning.cancel('x', one)))
        },
      },
    })
    const follow = async (tenant: string) => {
      for await (const _ of house.learning.watch(undefined, tenant)) seen.push(tenant)
    }
    const following = ['slack', 'teams', 'web'].map(follow)
    await train(house, { tenant: 'slack' })
    await Promise.all(following)
    assert.deepEqual([await cancelled, [...new Set(seen)]], [[false, false, true], ['slack']])
    assert.deepEqual([house.learning.steps('teams').length, house.learning.steps('slack').length > 0], [0, true])
  })

  it('keep what others taught when somebody of theirs is forgotten', async () => {
    await using house = await open()
    for (const tenant of ['web', 'slack', 'teams']) await train(house, { tenant })
    await house.store.feedback.forget('slack:anna')
    const { store, registry, dir: dataDir, learning } = house
    const { versions } = await forgetInTraining('slack:anna', { store, registry, dataDir, learning, apart: true })
    await learning.cancel('test')
    assert.deepEqual(versions, ['v2'])
    assert.deepEqual(await serving(house, 'slack', 'teams', 'web'), ['v1', 'v3', 'v1'])
    assert.deepEqual(ids((await learning.versions()).filter((one) => one.forgotten)), ['v2'])
  })

  it('are trained by the clock one after the other, each once for the same feedback', async () => {
    await using house = await open({ pairs: 10 })
    await dueRun(house.learning, silent)()
    assert.deepEqual(await serving(house, 'slack', 'teams', 'web'), ['v1', 'v2', 'v0'])
    await dueRun(house.learning, silent)()
    assert.equal((await house.registry.list()).length, 2)
  })

  it('have nothing that was learned from them together, which stays as it was where they are pooled', async () => {
    await using house = await open({ apart: false, more: { trainOn, policy: { pooled: true } } })
    assert.equal((await house.learning.plan({ tenant: 'slack' })).leftOut['several tenants'], undefined)
    await train(house, { tenant: 'slack' })
    const { manifest } = await house.registry.get('v1')
    assert.deepEqual([manifest.tenant, manifest.pooled, house.slot.version.id], [undefined, true, 'v1'])
    assert.ok(
      ['web', 'slack', 'teams'].every((one) => manifest.pairs.some(({ people }) => people.includes(`${one}:anna`))),
    )
    assert.deepEqual(ids(await house.learning.versions('teams')), ['v0', 'v1'])
  })
})
