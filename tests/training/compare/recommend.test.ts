import assert from 'node:assert/strict'
import fc from 'fast-check'
import { recommend } from '../../../training/compare/recommend.ts'
import type { RowResult } from '../../../training/compare/result.ts'
import { seeded } from '../../../training/hash.ts'
import { signTest } from '../../../training/stats.ts'
import { leans, rowResult, technique } from './results.ts'

const base = rowResult('base')
const advise = (...rows: readonly RowResult[]) =>
  recommend(
    base,
    rows.map((result) => ({ technique: technique(result.row), result })),
  )

describe('the recommendation of a comparison', () => {
  it('is the technique that comes nearer for sure, with its figures and what to do', () => {
    const advice = advise(rowResult('dpo', { leans: leans(18, 1), trainSeconds: 60 }), rowResult('explained'))
    assert.equal(advice.row, 'dpo')
    assert.match(advice.text, /^Use DPO: .* on 92\.5 % of 20 held-out prompts \(90 % interval 77 % to 97\.8 %\)/)
    assert.match(advice.text, /28 of 28 golden questions.*Run `hone train --method dpo`; the gate has the last word\.$/)
  })

  it('takes the cheaper of two that the prompts can’t tell apart, and says so', () => {
    const dpo = rowResult('dpo', { leans: leans(20, 0), trainSeconds: 95 })
    const { row, text } = advise(dpo, rowResult('examples', { leans: leans(18, 0), tokens: 500 }))
    assert.equal(row, 'examples')
    assert.match(text, /DPO comes to 100 %, but 20 prompts can't tell the two apart.*0 s of training instead of 95 s/)
  })

  it('takes the dearer one where it is better for sure', () => {
    const dpo = rowResult('dpo', { leans: new Array<number>(20).fill(0.9), trainSeconds: 95 })
    assert.equal(advise(dpo, rowResult('examples', { leans: leans(18, 0) })).row, 'dpo')
  })

  it('never is a technique that ruined the rest, however near it came', () => {
    const ruined = rowResult('dpo', { leans: leans(20, 0), perplexity: 78, trainSeconds: 95 })
    const forgetful = rowResult('sft', { leans: leans(20, 0), right: new Array<boolean>(28).fill(false) })
    const { row, text } = advise(ruined, forgetful)
    assert.equal(row, undefined)
    assert.match(text, /^Stay with the base/)
    assert.match(
      text,
      /DPO came nearer on 100 % but lost elsewhere: perplexity of other text 19\.50 times the base's\./,
    )
    assert.match(text, /SFT came nearer .* golden questions answered right: 0 %, with the base 100 %/)
  })

  it('is no technique that gives up on the answers, which are then unlike the bad ones too', () => {
    const silent = rowResult('bare', { leans: leans(20, 0), values: new Array<boolean>(18).fill(false) })
    assert.match(
      advise(silent).text,
      /^Stay with the base.*fresh answers with the right values: 0 %, with the base 100 %/,
    )
  })

  it('is none of trained weights that changed nothing', () => {
    const dead = rowResult('dpo+examples', { leans: leans(20, 0), perplexity: 4 })
    assert.match(advise(dead).text, /^Stay with the base.*lost elsewhere: its weights are the base’s/)
  })

  it('is none of trained weights whose perplexity can’t be measured', () => {
    const blind = rowResult('dpo', { leans: leans(20, 0), perplexity: Number.NaN })
    assert.match(advise(blind).text, /^Stay with the base.*can't be measured on this engine/)
    const prompted = rowResult('examples', { leans: leans(20, 0), perplexity: Number.NaN })
    assert.equal(advise(prompted).row, 'examples')
  })

  it('says that there is not enough held-out data, of few prompts and of a lead that may be chance', () => {
    const few = rowResult('base', { leans: leans(0, 0, 5) })
    const advice = recommend(few, [
      { technique: technique('dpo'), result: rowResult('dpo', { leans: leans(5, 0, 5) }) },
    ])
    assert.match(advice.text, /^Not enough held-out data to tell: 5 held-out prompts, 8 are needed\./)
    const lead = advise(rowResult('dpo', { leans: leans(9, 5) }), rowResult('sft', { leans: leans(3, 9) }))
    assert.equal(lead.row, undefined)
    assert.match(lead.text, /^Not enough held-out data to tell: DPO is ahead with 60 % of 20 prompts .* may be chance/)
  })

  it('is seldom made where nothing is better, though many rows are compared', () => {
    const random = seeded(7)
    const rows = ['bare', 'examples', 'explained', 'sft', 'dpo', 'kto', 'rl', 'explain', 'no-profile', 'no-passages']
    const noise = () => Array.from({ length: 24 }, () => random() - 0.5)
    const trials = 400
    let made = 0
    for (let n = 0; n < trials; n++) {
      const still = rowResult('base', { leans: new Array<number>(24).fill(0) })
      const others = rows.map((row) => ({ technique: technique(row), result: rowResult(row, { leans: noise() }) }))
      if (recommend(still, others).row !== undefined) made += 1
    }
    assert.ok(made / trials <= 0.05, `${made} of ${trials}`)
  })

  it('does not depend on the order of the rows', () => {
    const rows = [
      rowResult('dpo', { leans: leans(20, 0), trainSeconds: 95 }),
      rowResult('examples', { leans: leans(17, 1), tokens: 500 }),
      rowResult('sft', { leans: leans(19, 1), trainSeconds: 50 }),
    ]
    const first = advise(...rows)
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: 3 }), (order) => {
        assert.equal(advise(...order).row, first.row)
      }),
    )
  })
})

describe('the sign test', () => {
  it('is the chance of so many wins by coin', () => {
    assert.equal(signTest(0, 0), 1)
    assert.equal(signTest(5, 0), 1 / 32)
    assert.ok(Math.abs(signTest(9, 1) - 11 / 1024) < 1e-12)
    assert.ok(Math.abs(signTest(0, 7) - 1) < 1e-12)
  })
})
