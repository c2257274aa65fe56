import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guess, hyperFor, parametersOf } from '../../training/recipes.ts'

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
    for (const wrong of [{ learningRate: 0 }, { learningRate: 2 }, { epochs: 0 }, { epochs: 1.5 }, { sftWeight: -1 }]) {
      assert.throws(() => hyperFor(4e9, wrong), { code: 'INPUT' })
    }
    assert.throws(() => hyperFor(4e9, { learningRate: Number.NaN }), { code: 'INPUT' })
  })

  it('guess more time and memory for more model and more text', () => {
    const rows = { tokens: 50_000, base: 60 }
    const small = guess(5e6, hyperFor(5e6), rows)
    const large = guess(1e9, hyperFor(1e9), rows)
    assert.ok(large.seconds > small.seconds && large.memoryMb > small.memoryMb)
    assert.ok(small.seconds < 600 && small.memoryMb < 3000, JSON.stringify(small))
  })

  describe('counting parameters', () => {
    let dir: string
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'hone-model-'))
    })
    afterEach(() => rm(dir, { recursive: true }))

    it('says which folder holds nothing to train from', async () => {
      await assert.rejects(parametersOf(dir), { code: 'MODEL_FILE', message: /no safetensors/ })
      await assert.rejects(parametersOf(join(dir, 'nowhere')), { code: 'MODEL_FILE' })
    })

    it('refuses a file that was cut short', async () => {
      const cut = Buffer.alloc(12)
      cut.writeBigUInt64LE(5000n)
      await writeFile(join(dir, 'model.safetensors'), cut)
      await assert.rejects(parametersOf(dir), { code: 'MODEL_FILE', message: /cut short/ })
    })
  })
})
