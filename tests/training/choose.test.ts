import assert from 'node:assert/strict'
import { join } from 'node:path'
import { chooseMethod } from '../../training/choose.ts'
import { compareStore } from '../../training/compare/result.ts'
import { leans, rowResult } from './compare/results.ts'
import { openHouse } from './house.ts'
import { loneRow, pairRow } from './rows.ts'

const rows = ({ pairs = 0, up = 0, down = 0 }) => ({
  train: Array.from({ length: pairs }, (_, n) => pairRow(n)),
  heldOut: [],
  unpaired: Array.from({ length: up + down }, (_, n) => loneRow(n, { liked: n < up })),
})

describe('the method that the data allow', () => {
  for (const [data, method, why] of [
    [{ pairs: 30, up: 5, down: 5 }, 'dpo', /30 pairs are enough/],
    [{ pairs: 30, up: 500 }, 'kto', /far more lone thumbs than pairs/],
    [{ pairs: 10, up: 12, down: 8 }, 'kto', /fewer pairs than the 30/],
    [{ pairs: 2, up: 60, down: 1 }, 'sft', /hardly any dislikes/],
    [{ pairs: 2, up: 3 }, 'dpo', /not enough for any method/],
  ] as const) {
    it(`is ${method} for ${JSON.stringify(data)}`, () => {
      const choice = chooseMethod(rows(data))
      assert.equal(choice.method, method)
      assert.match(choice.why, why)
    })
  }

  it('is what a run under auto uses, and the plan says why', async () => {
    await using house = await openHouse({ pairs: 60 })
    const plan = await house.learning.plan({ method: 'auto' })
    assert.equal(plan.method, 'dpo')
    assert.match(plan.why ?? '', /pairs are enough for DPO/)
    assert.equal((await house.learning.plan()).why, undefined)
    await house.learning.start('web:anna', { method: 'auto' })
    for await (const event of house.learning.watch()) if (event.kind === 'state' && event.job.state !== 'running') break
    assert.equal(house.trainer.jobs[0]?.method, 'dpo')
  })

  it('is under auto the one that the newest comparison on this base advises', async () => {
    await using house = await openHouse({ pairs: 60 })
    const base = join(house.dir, 'base.gguf')
    const kept = compareStore(join(house.dir, 'compare'))
    const planned = async () => {
      const { method, why } = await house.learning.plan({ method: 'auto' })
      return [method, why]
    }
    const compared = async (of: string, day: number, ...rows: readonly ReturnType<typeof rowResult>[]) => {
      const about = {
        heldOut: 20,
        budget: { minutes: 10, seed: 7 },
        cannot: {},
        rows: ['base', ...rows.map(({ row }) => row)],
      }
      const hash = `${day}`.repeat(20)
      await kept.begin({ format: 1, hash, base: of, startedAt: new Date(Date.UTC(2026, 4, day)), ...about })
      for (const row of [rowResult('base'), ...rows]) await kept.put(hash, row)
    }
    const better = { leans: leans(20, 0), trainSeconds: 60 }
    // What trains nothing may be better still: it is no way to train.
    await compared(base, 1, rowResult('sft', better), rowResult('examples', { leans: leans(20, 0) }))
    const [method, why] = await planned()
    assert.equal(method, 'sft')
    assert.match(why ?? '', /^The comparison of 2026-05-01 says: Use SFT: .* 100 % of 20 held-out prompts/)
    await compared('other.gguf', 2, rowResult('rl', better))
    assert.equal((await planned())[0], 'dpo')
    await compared(base, 3, rowResult('dpo'))
    assert.match((await planned())[1] ?? '', /pairs are enough for DPO/)
  })
})
