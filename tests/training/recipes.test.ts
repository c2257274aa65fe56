import assert from 'node:assert/strict'
import { guessSeconds, hyperFor } from '../../training/recipes.ts'

describe('the recipes', () => {
  it('give small models high rates and many epochs, real ones low rates and few', () => {
    const [tiny, real, large] = [hyperFor(5e6), hyperFor(4e9), hyperFor(70e9)]
    assert.ok(tiny.learningRate >= 1e-3 && tiny.epochs >= 6)
    for (const { learningRate, epochs } of [real, large]) {
      assert.ok(learningRate >= 1e-5 && learningRate <= 5e-5 && epochs <= 2)
    }
  })

  it('let the operator choose, within reason', () => {
    assert.equal(hyperFor(4e9, { learningRate: 1e-4, epochs: 3, sftWeight: 0 }).sftWeight, 0)
    assert.deepEqual(
      [hyperFor(4e6).strength, hyperFor(4e6, { method: 'kto' }).strength, hyperFor(4e9).strength],
      [0.35, 1, 1],
    )
    assert.equal(hyperFor(4e9).labelSmoothing, 0)
    assert.equal(hyperFor(4e9, { labelSmoothing: 0.1 }).labelSmoothing, 0.1)
    const rates = [{ learningRate: 0 }, { learningRate: 2 }, { epochs: 0 }, { epochs: 1.5 }, { sftWeight: -1 }]
    for (const wrong of [...rates, { labelSmoothing: -0.1 }, { labelSmoothing: 0.5 }]) {
      assert.throws(() => hyperFor(4e9, wrong), { code: 'INPUT' })
    }
    assert.throws(() => hyperFor(4e9, { learningRate: Number.NaN }), { code: 'INPUT' })
  })

  it('take no label smoothing for a method that has none', () => {
    for (const method of ['dpo', 'auto'] as const)
      assert.equal(hyperFor(4e9, { method, labelSmoothing: 0.1 }).labelSmoothing, 0.1)
    assert.throws(() => hyperFor(4e9, { method: 'kto', labelSmoothing: 0.1 }), {
      code: 'INPUT',
      message: /kto has none/,
    })
    assert.equal(hyperFor(4e9, { method: 'kto', labelSmoothing: 0 }).labelSmoothing, 0)
  })

  it('guess more time for more model and more text', () => {
    const rows = { tokens: 50_000, base: 60 }
    const small = guessSeconds(5e6, hyperFor(5e6), rows)
    const large = guessSeconds(1e9, hyperFor(1e9), rows)
    assert.ok(large > small)
    assert.ok(small < 600, String(small))
  })
})
