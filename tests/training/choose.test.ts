import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { baseSha256 } from '../../training/base.ts'
import { chooseMethod } from '../../training/choose.ts'
import { compareStore, type RowResult } from '../../training/compare/result.ts'
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

  describe('is under auto what a comparison advises', () => {
    const better = { leans: leans(20, 0), trainSeconds: 60 }
    const equal = rowResult('dpo')

    /** A house whose comparisons began one day after the other, and what it would train. */
    async function houseWith(...comparisons: readonly Compared[]) {
      const house = await openHouse({ pairs: 60 })
      const kept = compareStore(join(house.dir, 'compare'))
      const weights = await baseSha256(join(house.dir, 'base.gguf'), join(house.dir, 'base.json'))
      for (const [n, { base = weights, rows, open = [] }] of comparisons.entries()) {
        const asked = ['base', ...rows.map(({ row }) => row), ...open]
        const about = { heldOut: 20, budget: { minutes: 10, seed: 7 }, cannot: {}, rows: asked }
        const hash = `${n}`.repeat(20)
        await kept.begin({ format: 1, hash, base, startedAt: new Date(Date.UTC(2026, 4, n + 1)), ...about })
        for (const row of [rowResult('base'), ...rows]) await kept.put(hash, row)
      }
      return house
    }
    const planned = async (...comparisons: readonly Compared[]) => {
      await using house = await houseWith(...comparisons)
      return await house.learning.plan({ method: 'auto' })
    }

    it('of what trains, with its words, whatever judged examples alone would do', async () => {
      const told = [rowResult('examples', better), rowResult('dpo+examples', better)]
      const { method, why } = await planned({ rows: [rowResult('sft', better), equal, ...told] })
      assert.equal(method, 'sft')
      assert.match(why ?? '', /^The comparison of 2026-05-01 says: Use SFT: .* 100 % of 20 held-out prompts/)
    })

    it('in the newest one that is whole, compares methods, and is on this base', async () => {
      const whole = { rows: [rowResult('sft', better), equal] }
      const others: readonly Compared[] = [
        { rows: [rowResult('kto', better), equal], base: 'e'.repeat(64) },
        { rows: [rowResult('kto', better), equal], open: ['rl'] },
        { rows: [rowResult('kto', better)] },
      ]
      for (const other of others) assert.equal((await planned(whole, other)).method, 'sft')
      assert.equal((await planned(whole, { rows: [rowResult('kto', better), equal] })).method, 'kto')
    })

    it('with the settings of that method', async () => {
      const full = { rows: [rowResult('full', better), equal] }
      const rates = []
      for (const method of ['auto', 'full'] as const) {
        await using house = await houseWith(full)
        await house.learning.start('web:anna', { method })
        for await (const event of house.learning.watch()) if (event.kind === 'state') break
        rates.push(house.trainer.jobs[0]?.hyper.learningRate)
      }
      assert.equal(rates[0], rates[1])
      await using house = await houseWith(full)
      await assert.rejects(house.learning.plan({ method: 'auto', labelSmoothing: 0.1 }), /dpo alone; full has none/)
    })

    it('unless other weights lie at that path now', async () => {
      await using house = await houseWith({ rows: [rowResult('sft', better), equal] })
      assert.equal((await house.learning.plan({ method: 'auto' })).method, 'sft')
      writeFileSync(join(house.dir, 'base.gguf'), 'other weights')
      assert.equal((await house.learning.plan({ method: 'auto' })).method, 'dpo')
    })

    it('unless it advises none that trains, or one that can’t run here', async () => {
      const nothing = await planned({ rows: [equal, rowResult('sft')] })
      assert.match(nothing.why ?? '', /pairs are enough for DPO/)
      await using house = await houseWith({ rows: [rowResult('full', better), equal] })
      Object.assign(house.trainer, { full: false })
      const { method, refusal } = await house.learning.plan({ method: 'auto' })
      assert.deepEqual([method, refusal], ['dpo', undefined])
    })
  })
})

interface Compared {
  readonly rows: readonly RowResult[]
  /** Rows that are asked for and not measured yet. */
  readonly open?: readonly string[]
  readonly base?: string
}
