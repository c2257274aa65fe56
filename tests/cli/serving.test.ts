import assert from 'node:assert/strict'
import { openSlot } from '../../src/cli/serving.ts'
import { readConfig } from '../../src/config.ts'
import { silent } from '../../src/log.ts'
import type { Engine, Version } from '../../src/ports/engine.ts'
import { scriptedEngine } from '../fakes/engine.ts'
import { fill, type House, learned, openHouse } from '../training/house.ts'

const trainOn = ['web', 'slack']
const idOf = async (engine: Engine) => engine.version.id

async function train({ learning }: House, tenant: string): Promise<void> {
  const watching = Array.fromAsync(learning.watch())
  await learning.start('somebody', { tenant })
  await watching
}

/** The slot as the next process would open it. */
function next({ store, registry, slot }: House, tenants: string, as = (version: Version) => version) {
  const load = async (version: Version) => ({ ...scriptedEngine(as(version), learned), version })
  const config = readConfig({ HONE_TENANTS: tenants })
  return openSlot({ config, store, registry, base: slot.version.base, load, log: silent })
}

describe('what serves after a restart', () => {
  it('is what served each tenant before, the operator’s version where a tenant’s own has no effect', async () => {
    await using house = await openHouse({ apart: true, more: { trainOn }, pairs: 40 })
    await fill(house.store, 40, 'slack')
    await train(house, 'slack')
    await train(house, 'web')
    const served = async (slot: Awaited<ReturnType<typeof next>>) =>
      Promise.all(['slack', 'teams', 'web'].map(async (tenant) => (await slot.of?.(tenant))?.use(idOf)))
    await using slot = await next(house, 'separate')
    assert.deepEqual(await served(slot), ['v1', 'v2', 'v2'])
    await using broken = await next(house, 'separate', ({ base }) => ({ id: 'v0', base }))
    assert.deepEqual(await served(broken), ['v2', 'v2', 'v2'])
  })

  it('is a tenant’s model of its own only where that has an effect', async () => {
    await using house = await openHouse({ apart: true, more: { trainOn }, pairs: 0 })
    await fill(house.store, 40, 'slack')
    const watching = Array.fromAsync(house.learning.watch())
    await house.learning.start('somebody', { tenant: 'slack', method: 'full' })
    await watching
    assert.ok((await house.registry.get('v1')).manifest.model)
    await using broken = await next(house, 'separate', ({ base }) => ({ id: 'v0', base }))
    assert.equal(await (await broken.of?.('slack'))?.use(idOf), 'v0')
  })

  it('is nothing that tenants taught together, once they learn apart', async () => {
    await using house = await openHouse({ more: { trainOn, policy: { pooled: true } }, pairs: 40 })
    // The same preference in two tenants counts once; some are said in one alone.
    await fill(house.store, 45, 'slack')
    await train(house, 'web')
    await using pooled = await next(house, 'pooled')
    await using apart = await next(house, 'separate')
    assert.deepEqual([pooled.version.id, pooled.of, apart.version.id], ['v1', undefined, 'v0'])
  })
})
