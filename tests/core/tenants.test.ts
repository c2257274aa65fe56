import assert from 'node:assert/strict'
import { HoneError } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import type { Engine, EngineSlot, Version } from '../../src/ports/engine.ts'
import { createSlot } from '../../src/slot.ts'
import { withTenants } from '../../src/tenants.ts'
import { scriptedEngine } from '../fakes/engine.ts'

const v = (id: string): Version => ({ id, base: 'base.gguf' })
const idOf = async (engine: Engine) => engine.version.id

/** Tenants A, B, C … served last by versions vA, vB, vC …; all others by none of their own. */
const versionOf = async (tenant: string) => (/^[A-Z]$/.test(tenant) ? v(`v${tenant}`) : undefined)

/** Loads engines and knows which are alive, and how many were at most. */
function loader(broken: (version: Version) => Error | undefined = () => undefined) {
  const alive: string[] = []
  const seen = { most: 0, loads: 0 }
  async function load(version: Version): Promise<Engine> {
    seen.loads += 1
    const error = broken(version)
    if (error) throw error
    alive.push(version.id)
    seen.most = Math.max(seen.most, alive.length)
    const dispose = async () => void alive.splice(alive.indexOf(version.id), 1)
    return { ...scriptedEngine(version, {}), [Symbol.asyncDispose]: dispose }
  }
  return { load, alive, seen }
}

async function open({ load }: Pick<ReturnType<typeof loader>, 'load'>, most = 2): Promise<EngineSlot> {
  return withTenants({
    slot: await createSlot({ load, first: v('v0'), log: silent }),
    load,
    versionOf,
    most,
    log: silent,
  })
}

async function of(slot: EngineSlot, tenant: string) {
  const view = await slot.of?.(tenant)
  assert.ok(view)
  return view
}

const settled = () => new Promise(setImmediate)

describe('a slot with versions of tenants', () => {
  it('loads a tenant’s version when a turn of theirs needs it, and serves everybody else with the operator’s', async () => {
    const made = loader()
    await using slot = await open(made)
    assert.deepEqual([(await of(slot, 'A')).version.id, made.alive], ['vA', ['v0']])
    assert.equal(await (await of(slot, 'A')).use(idOf), 'vA')
    for (const tenant of ['web', 'terminal', 'nobody-special'])
      assert.equal(await (await of(slot, tenant)).use(idOf), 'v0')
    assert.deepEqual(made.alive, ['v0', 'vA'])
  })

  it('has so many of them in memory at most, and drops the one that was used longest ago', async () => {
    const made = loader()
    await using slot = await open(made)
    for (const tenant of ['A', 'B', 'A', 'C']) assert.equal(await (await of(slot, tenant)).use(idOf), `v${tenant}`)
    assert.deepEqual([made.alive, made.seen.most], [['v0', 'vA', 'vC'], 3])
    assert.equal(await (await of(slot, 'B')).use(idOf), 'vB')
    assert.deepEqual(made.alive, ['v0', 'vC', 'vB'])
  })

  it('lets replies end before it drops their engine', async () => {
    const made = loader()
    await using slot = await open(made, 1)
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const long = (await of(slot, 'A')).use(async (engine) => {
      begun.resolve()
      await gate.promise
      assert.ok(made.alive.includes('vA'))
      return idOf(engine)
    })
    await begun.promise
    const next = (await of(slot, 'B')).use(idOf)
    const again = (await of(slot, 'A')).use(idOf)
    await settled()
    assert.deepEqual(made.alive, ['v0', 'vA'])
    gate.resolve()
    assert.deepEqual(await Promise.all([long, next, again]), ['vA', 'vB', 'vA'])
    assert.equal(made.seen.most, 2)
  })

  it('loads and proves a tenant’s next version also where the operator’s has caught up with the one before', async () => {
    const made = loader()
    await using slot = await open(made)
    const a = await of(slot, 'A')
    await a.use(idOf)
    await slot.swap(v('vA'))
    const proofs: string[] = []
    await a.swap(v('v7'), async (engine) => void proofs.push(await idOf(engine)))
    assert.deepEqual([a.version.id, await a.use(idOf), proofs], ['v7', 'v7', ['v7']])
    assert.deepEqual(made.alive.toSorted(), ['v7', 'vA'])
  })

  it('forgets an engine that nobody wants any more when it is there', async () => {
    const made = loader()
    const gate = Promise.withResolvers<void>()
    await using slot = await open(
      {
        load: async (version) =>
          version.id === 'vA' ? gate.promise.then(() => made.load(version)) : made.load(version),
      },
      1,
    )
    const a = await of(slot, 'A')
    const early = a.use(idOf)
    await settled()
    await a.leave?.()
    gate.resolve()
    await early
    await a.swap(v('v7'))
    assert.equal(await a.use(idOf), 'v7')
    assert.equal(await (await of(slot, 'B')).use(idOf), 'vB')
    assert.deepEqual([made.alive, made.seen.most], [['v0', 'vB'], 2])
  })

  it('keeps to that however many tenants talk at once', async () => {
    const made = loader()
    await using slot = await open(made, 3)
    const tenants = Array.from({ length: 200 }, (_, n) => String.fromCharCode(65 + ((n * 7) % 26)))
    const served = tenants.map(async (tenant) => (await of(slot, tenant)).use(idOf))
    assert.deepEqual(
      await Promise.all(served),
      tenants.map((tenant) => `v${tenant}`),
    )
    assert.equal(made.seen.most, 4)
  })

  it('serves a tenant as if it had no version where that can’t be loaded, and tries again where that may help', async () => {
    let error: Error | undefined = new HoneError('ENGINE_FAILED', 'no memory')
    const made = loader(({ id }) => (id === 'v0' ? undefined : error))
    await using slot = await open(made)
    const a = await of(slot, 'A')
    assert.equal(await a.use(idOf), 'v0')
    error = undefined
    assert.equal(await a.use(idOf), 'vA')
    error = new HoneError('LORA_MISMATCH', 'damaged')
    const b = await of(slot, 'B')
    assert.equal(await b.use(idOf), 'v0')
    const { loads } = made.seen
    assert.deepEqual([await b.use(idOf), b.version.id, made.seen.loads], ['v0', 'v0', loads])
  })

  it('swaps one tenant’s version and nobody else’s', async () => {
    const made = loader()
    await using slot = await open(made)
    const [a, b, fresh] = [await of(slot, 'A'), await of(slot, 'B'), await of(slot, 'new')]
    await a.swap(v('v8'))
    await fresh.swap(v('v9'), async (engine) => assert.equal(engine.version.id, 'v9'))
    assert.deepEqual([await a.use(idOf), await fresh.use(idOf), await slot.use(idOf)], ['v8', 'v9', 'v0'])
    assert.equal(await b.use(idOf), 'vB')
    await slot.swap(v('v5'))
    assert.deepEqual([await a.use(idOf), await (await of(slot, 'web')).use(idOf)], ['v8', 'v5'])
  })

  it('leaves everything as it was when a tenant’s candidate fails its proof', async () => {
    const made = loader()
    await using slot = await open(made)
    for (const tenant of ['A', 'new']) {
      const view = await of(slot, tenant)
      const before = await view.use(idOf)
      const fails = view.swap(v('v9'), async () => Promise.reject(new HoneError('SWAP_REFUSED', 'no effect')))
      await assert.rejects(fails, { code: 'SWAP_REFUSED' })
      assert.deepEqual([view.version.id, await view.use(idOf)], [before, before])
    }
    assert.ok(!made.alive.includes('v9'))
  })

  it('takes a tenant back to what serves all, and needs no engine for what serves all anyway', async () => {
    const made = loader()
    await using slot = await open(made)
    const a = await of(slot, 'A')
    await a.use(idOf)
    await a.leave?.()
    assert.deepEqual([a.version.id, await a.use(idOf)], ['v0', 'v0'])
    await settled()
    assert.deepEqual(made.alive, ['v0'])
    await a.swap(v('v0'))
    await slot.swap(v('v2'))
    assert.deepEqual([await a.use(idOf), await slot.use(idOf)], ['v0', 'v2'])
  })

  it('disposes them all', async () => {
    const made = loader()
    {
      await using slot = await open(made)
      await Promise.all(['A', 'B'].map(async (tenant) => (await of(slot, tenant)).use(idOf)))
      assert.equal(made.alive.length, 3)
    }
    assert.deepEqual(made.alive, [])
  })
})
