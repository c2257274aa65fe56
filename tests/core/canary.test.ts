import assert from 'node:assert/strict'
import { HoneError } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import type { Delta, Engine, Version } from '../../src/ports/engine.ts'
import { createSlot } from '../../src/slot.ts'
import { withStandIn } from '../../src/stand-in.ts'
import { scriptedEngine } from '../fakes/engine.ts'

const v = (id: string): Version => ({ id, base: 'base.gguf' })

/** A slot with v0, and v1 for the threads that begin with `c`; threads that begin with `o` stand outside. */
async function opened() {
  const disposed: string[] = []
  const loaded: string[] = []
  const load = async (version: Version): Promise<Engine> => {
    loaded.push(version.id)
    const dispose = async () => void disposed.push(version.id)
    return { ...scriptedEngine(version, {}), [Symbol.asyncDispose]: dispose }
  }
  const slot = await createSlot({ load, first: v('v0'), log: silent })
  const takes = async (thread: string) => (thread.startsWith('o') ? undefined : thread.startsWith('c'))
  const canary = { version: v('v1'), takes, answered: () => undefined }
  await slot.canary?.(canary)
  const by = (thread?: string) => slot.use(async (engine, rival) => [engine.version.id, rival?.version.id], thread)
  return { slot, canary, disposed, loaded, by }
}

describe('a canary in the engine slot', () => {
  it('answers its threads, and the serving version all others; each is the other one’s rival', async () => {
    const { slot, by } = await opened()
    await using _ = slot
    assert.deepEqual(await by('c1'), ['v1', 'v0'])
    assert.deepEqual(await by('s1'), ['v0', 'v1'])
    assert.deepEqual(await by('o1'), ['v0', undefined])
    assert.deepEqual(await by(), ['v0', undefined])
    const versions = await Promise.all(['c1', 's1', 'o1'].map(async (thread) => (await slot.versionFor?.(thread))?.id))
    assert.deepEqual([slot.version.id, ...versions], ['v0', 'v1', 'v0', 'v0'])
  })

  it('serves all once it is swapped in, without being loaded again', async () => {
    const { slot, by, loaded, disposed } = await opened()
    await using _ = slot
    await slot.swap(v('v1'))
    assert.deepEqual(await by('s1'), ['v1', undefined])
    await new Promise(setImmediate)
    assert.deepEqual([loaded, disposed], [['v0', 'v1'], ['v0']])
  })

  it('ends where another version is swapped in, and where it is taken back; a reply of its own goes on', async () => {
    for (const end of ['swap', 'take back']) {
      const { slot, by, disposed } = await opened()
      await using _ = slot
      const gate = Promise.withResolvers<void>()
      const reply = slot.use(async (engine) => {
        await gate.promise
        return engine.version.id
      }, 'c1')
      await new Promise(setImmediate)
      await (end === 'swap' ? slot.swap(v('v2')) : slot.canary?.())
      assert.deepEqual(await by('c1'), [end === 'swap' ? 'v2' : 'v0', undefined])
      assert.ok(!disposed.includes('v1'))
      gate.resolve()
      assert.equal(await reply, 'v1')
      await new Promise(setImmediate)
      assert.ok(disposed.includes('v1'))
    }
  })

  it('that is not proven answers nobody, and the one before it goes on', async () => {
    const { slot, canary, by, disposed } = await opened()
    await using _ = slot
    const refused = slot.canary?.({ ...canary, version: v('v2') }, () => Promise.reject(new Error('no effect')))
    await assert.rejects(refused ?? Promise.resolve(), /no effect/)
    assert.deepEqual(await by('c1'), ['v1', 'v0'])
    assert.deepEqual(disposed, ['v2'])
  })
})

describe('an engine that another one stands in for', () => {
  const end: Delta = { kind: 'end', reason: 'stop', usage: { prompt: 1, evaluated: 1, completion: 1 } }
  const dead = new HoneError('ENGINE_FAILED', 'The process died.')

  /** v1 says the given pieces and then dies, or ends where `dies` is false; v0 answers as usual or dies too. */
  function pair(pieces: readonly string[], { dies = true, both = false } = {}) {
    const told: unknown[] = []
    const failing = (version: string, said: readonly string[], fails: boolean): Engine => ({
      ...scriptedEngine(v(version), { fill: () => (fails ? Promise.reject(dead) : { by: version }) }),
      async *generate() {
        for (const text of said) yield { kind: 'text', text }
        if (fails) throw dead
        yield end
      },
    })
    const other = both ? failing('v0', [], true) : failing('v0', ['Yes.'], false)
    return { told, engine: withStandIn(failing('v1', pieces, dies), other, (error) => told.push(error)) }
  }
  async function said({ generate }: Engine): Promise<string> {
    let text = ''
    for await (const delta of generate([])) if (delta.kind === 'text') text += delta.text
    return text
  }

  it('gives its own answer and its own name as long as it can', async () => {
    const { engine, told } = pair(['Sure.'], { dies: false })
    assert.deepEqual([await said(engine), engine.version.id, told], ['Sure.', 'v1', [undefined]])
  })

  it('gives the other one’s answer and name where it died before it said anything, or said nothing at all', async () => {
    for (const { engine, told } of [pair([]), pair([' ']), pair([], { dies: false })]) {
      assert.deepEqual([(await said(engine)).trim(), engine.version.id], ['Yes.', 'v0'])
      assert.ok(told.length === 1 && told[0] instanceof HoneError)
      assert.deepEqual(await engine.fill?.([], {}), { value: { by: 'v0' }, usage: end.usage })
    }
  })

  it('fails where something was said already, for that cannot be taken back', async () => {
    const { engine, told } = pair(['Sure, '])
    await assert.rejects(said(engine), dead)
    assert.deepEqual([engine.version.id, told], ['v1', [dead]])
  })

  it('is not blamed where the other one fails too, or nobody wanted the answer any more', async () => {
    const { engine, told } = pair([], { both: true })
    await assert.rejects(said(engine), dead)
    const stopped = pair([])
    const answer = stopped.engine.generate([], { signal: AbortSignal.abort() })
    await assert.rejects(Array.fromAsync(answer), dead)
    assert.deepEqual([told, stopped.told], [[], []])
  })
})
