import assert from 'node:assert/strict'
import { chooseMethod } from '../../training/choose.ts'
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
})
