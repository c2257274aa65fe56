import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Forgotten, feedbackStats, forgetInTraining } from '../../training/index.ts'
import { type House, openHouse } from './house.ts'

describe('what feedback leaves behind', () => {
  it('is counted for people to see what is missing', async () => {
    await using house = await openHouse({ pairs: 12 })
    const stats = await feedbackStats(house.store)
    assert.equal(stats['thumbs up'], 12)
    assert.equal(stats.pairs, 12)
    assert.equal(stats['pairs from thumbs'], 12)
    assert.equal(stats['pairs still missing to train'], 18)
    assert.equal(stats.people, 1)
  })

  it('goes with the person: no dataset keeps their rows, and the versions they taught are marked', async () => {
    await using house = await openHouse()
    const { learning, dir, store } = house
    await trained(house)
    const nothing = { none: 'No version had learned from it.' }
    assert.deepEqual(await forget('web:bob', house), { datasets: 0, versions: [], retraining: nothing })
    const { datasets, versions, retraining } = await forget('web:anna', house)
    assert.deepEqual([datasets, versions], [1, ['v1']])
    assert.match('none' in retraining ? retraining.none : '', /^0 usable pairs/)
    assert.deepEqual(await readdir(join(dir, 'datasets')), [])
    assert.match((await learning.plan()).refusal ?? '', /^0 usable pairs/)
    const marked = (await learning.versions()).at(-1)
    assert.ok(marked?.forgotten && marked.pairs.every(({ people }) => people.join() === 'forgotten'))
    assert.deepEqual((await forgetInTraining('web:anna', { ...house, store, dataDir: dir })).datasets, 0)
  })

  it('starts anew from the base without the person, where enough is left', async () => {
    await using house = await openHouse()
    await say(house, { person: 'web:zoe', text: `My own ${canary}` })
    await trained(house)
    const watching = Array.fromAsync(house.learning.watch())
    const { versions, retraining } = await forget('web:zoe', house)
    assert.deepEqual([versions, 'job' in retraining], [['v1'], true])
    await watching
    const [, before, after] = await house.learning.versions()
    assert.deepEqual([before?.forgotten, after?.forgotten, after?.serving], [true, undefined, true])
    assert.deepEqual(await filesWith(canary, house.dir), [])
    assert.deepEqual(await filesWith('zoe', house.dir), [])
  })

  it('goes where others judged replies to what the person wrote, and where the reply was liked alone', async () => {
    for (const alone of [false, true]) {
      await using house = await openHouse()
      await say(house, { person: 'web:zoe', text: canary, voter: 'web:anna', alone })
      await trained(house)
      assert.ok((await filesWith(canary, house.dir)).length > 0, `alone: ${alone}`)
      assert.deepEqual((await forget('web:zoe', house)).versions, ['v1'])
      await house.learning.cancel('test')
      assert.deepEqual(await filesWith(canary, house.dir), [])
    }
  })

  it('is not spoken on: the newest good version that never saw the person serves at once, else the base', async () => {
    await using house = await openHouse()
    const { learning, slot, store } = house
    await trained(house)
    await say(house, { person: 'web:zoe', text: canary })
    await trained(house)
    assert.equal(slot.version.id, 'v2')
    assert.equal((await forget('web:zoe', house)).serving, 'v1')
    await learning.cancel('test')
    assert.deepEqual([slot.version.id, await store.serving.current()], ['v1', 'v1'])
    await assert.rejects(learning.promote('v2', 'web:admin'), { code: 'SWAP_REFUSED', message: /deleted since/ })
    assert.equal((await forget('web:anna', house)).serving, 'v0')
    assert.deepEqual([slot.version.id, await store.serving.current()], ['v0', 'v0'])
    await assert.rejects(learning.rollback('web:admin'), { code: 'NOT_FOUND' })
  })

  it('also does not serve after a restart where no engine was up to change', async () => {
    await using house = await openHouse()
    await trained(house)
    const { store, registry, dir } = house
    await store.feedback.forget('web:anna')
    const { serving } = await forgetInTraining('web:anna', { store, registry, dataDir: dir })
    assert.deepEqual([serving, await store.serving.current()], ['v0', 'v0'])
    assert.equal((await forgetInTraining('web:anna', { store, registry, dataDir: dir })).serving, undefined)
  })

  it('cancels a run that is on, which may hold their rows, and starts another', async () => {
    let forgotten: Promise<Forgotten> | undefined
    await using house = await openHouse({
      trainer: {
        onStep: (step) => {
          if (step === 2) forgotten ??= forget('web:zoe', house)
        },
      },
    })
    await say(house, { person: 'web:zoe', text: canary })
    await trained(house)
    assert.ok('job' in ((await forgotten)?.retraining ?? {}))
    await house.learning.cancel('test')
    assert.deepEqual(await filesWith(canary, house.dir), [])
  })
})

const canary = 'canary-5ce1f0'

async function trained({ learning }: House): Promise<void> {
  const watching = Array.fromAsync(learning.watch())
  await learning.start('web:admin')
  await watching
}

async function forget(person: string, { store, registry, dir, learning }: House): Promise<Forgotten> {
  await store.feedback.forget(person)
  return forgetInTraining(person, { store, registry, dataDir: dir, learning })
}

/** Files under a folder that hold the text. */
async function filesWith(text: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const found = await Promise.all(paths.map(async (path) => (await readFile(path)).includes(text)))
  return paths.filter((_, index) => found[index])
}

interface Talk {
  readonly person: string
  readonly text: string
  /** Who judges; the person, where it is nobody else. */
  readonly voter?: string
  /** Only one reply, liked. */
  readonly alone?: boolean
}

/** A question of the person in a thread that is not held out, and what was said of the replies to it. */
async function say({ store }: House, { person, text, voter = person, alone = false }: Talk): Promise<void> {
  const place = { tenant: 'web', channel: 'web', thread: 'web:talk', at: new Date('2026-05-02T10:00:00Z') }
  await store.turns.appendUser({ ...place, id: 'q', parent: null, role: 'user', text, person, event: 'e' })
  const usage = { prompt: 1, evaluated: 1, completion: 1 }
  const reply = { ...place, role: 'assistant', parent: 'q', version: 'v0', profile: 'p', sources: [], usage } as const
  const prompt = [{ role: 'user', content: text }] as const
  const sides = alone ? ['Good one.'] : ['Good one.', 'Bad one, really.']
  await store.turns.appendBot(
    sides.map((said, n) => ({ ...reply, id: `r${n}`, text: said, prompt })),
    'e',
  )
  const { at } = place
  await store.feedback.vote({ turn: 'r0', person: voter, verdict: 'up', at })
  if (!alone) await store.feedback.vote({ turn: 'r1', person: voter, verdict: 'down', at })
}
