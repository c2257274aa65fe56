import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { feedbackStats, forgetInTraining } from '../../training/index.ts'
import { openHouse } from './house.ts'

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

  it('goes with the person: no dataset keeps their rows, and the versions they taught are named', async () => {
    await using house = await openHouse()
    const { learning, registry, dir, store } = house
    const watching = learning.watch()
    await learning.start('web:anna')
    await Array.fromAsync(watching)
    assert.deepEqual(await forgetInTraining('web:bob', dir, registry), { datasets: 0, versions: [] })
    await store.feedback.forget('web:anna')
    assert.deepEqual(await forgetInTraining('web:anna', dir, registry), { datasets: 1, versions: ['v1'] })
    assert.deepEqual(await readdir(join(dir, 'datasets')), [])
    assert.match((await learning.plan()).refusal ?? '', /^0 usable pairs/)
  })
})
