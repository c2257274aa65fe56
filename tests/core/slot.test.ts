import assert from 'node:assert/strict'
import { silent } from '../../src/log.ts'
import type { Engine, Version } from '../../src/ports/engine.ts'
import { createSlot } from '../../src/slot.ts'

interface Loaded {
  readonly engine: Engine
  disposed: boolean
}

function loader() {
  const loaded = new Map<string, Loaded>()
  const load = async (version: Version): Promise<Engine> => {
    const entry: Loaded = {
      disposed: false,
      engine: {
        version,
        contextTokens: 100,
        async *generate() {
          yield { kind: 'end', reason: 'stop', usage: { prompt: 0, evaluated: 0, completion: 0 } }
        },
        async [Symbol.asyncDispose]() {
          entry.disposed = true
        },
      },
    }
    loaded.set(version.id, entry)
    return entry.engine
  }
  return { load, loaded }
}

const v = (id: string): Version => ({ id, base: 'base.gguf' })

describe('the engine slot', () => {
  it('lets a reply finish on the engine it started on', async () => {
    const { load, loaded } = loader()
    await using slot = await createSlot({ load, first: v('v0'), log: silent })
    const gate = Promise.withResolvers<void>()
    const reply = slot.use(async (engine) => {
      await gate.promise
      return engine.version.id
    })
    await slot.swap(v('v1'))
    assert.equal(slot.version.id, 'v1')
    assert.equal(loaded.get('v0')?.disposed, false)
    gate.resolve()
    assert.equal(await reply, 'v0')
    await new Promise(setImmediate)
    assert.equal(loaded.get('v0')?.disposed, true)
  })

  it('goes on serving the old version when the candidate fails its proof, and disposes the candidate', async () => {
    const { load, loaded } = loader()
    await using slot = await createSlot({ load, first: v('v0'), log: silent })
    const failing = slot.swap(v('v1'), async () => {
      throw new Error('no effect')
    })
    await assert.rejects(failing, /no effect/)
    assert.equal(slot.version.id, 'v0')
    assert.equal(loaded.get('v1')?.disposed, true)
    assert.equal(loaded.get('v0')?.disposed, false)
  })

  it('goes on serving the old version when the candidate cannot be loaded', async () => {
    const { load } = loader()
    const broken = async (version: Version) => {
      if (version.id === 'v1') throw new Error('truncated')
      return load(version)
    }
    await using slot = await createSlot({ load: broken, first: v('v0'), log: silent })
    await assert.rejects(slot.swap(v('v1')), /truncated/)
    await slot.swap(v('v2'))
    assert.equal(slot.version.id, 'v2')
  })

  it('makes two swaps one after the other', async () => {
    const { load } = loader()
    await using slot = await createSlot({ load, first: v('v0'), log: silent })
    await Promise.all([slot.swap(v('v1')), slot.swap(v('v2'))])
    assert.equal(slot.version.id, 'v2')
  })

  it('borrows a version without letting it serve', async () => {
    const { load, loaded } = loader()
    await using slot = await createSlot({ load, first: v('v0'), log: silent })
    assert.equal(await slot.borrow(v('v9'), async (engine) => engine.version.id), 'v9')
    assert.equal(slot.version.id, 'v0')
    assert.equal(loaded.get('v9')?.disposed, true)
  })
})
