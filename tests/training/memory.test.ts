import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fitTo, needOf, stepDown } from '../../training/memory.ts'
import { modelShape } from '../../training/model-shape.ts'
import { hyperFor } from '../../training/recipes.ts'

const starter = join(import.meta.dirname, '../../training/starter')
const billions = {
  parameters: 4e9,
  loraPerRank: 2e6,
  layers: 36,
  hidden: 2560,
  intermediate: 9728,
  vocabulary: 151_936,
}
const asked = { method: 'dpo', hyper: hyperFor(4e9), lengths: { longest: 1500, uncut: 300 } } as const

describe('the shape of a model', () => {
  it('is read from its files: sizes, parameters, and what a LoRA adds to every linear layer', async () => {
    const { parameters, loraPerRank, ...sizes } = await modelShape(starter)
    assert.deepEqual(sizes, { layers: 5, hidden: 256, intermediate: 640, vocabulary: 2048 })
    assert.ok(parameters > 4e6 && parameters < 5e6, String(parameters))
    assert.equal(loraPerRank, 5 * (4 * (256 + 256) + 3 * (256 + 640)))
  })

  it('names the folder that holds nothing to train from, and a file that was cut short', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hone-model-'))
    try {
      await assert.rejects(modelShape(dir), { code: 'MODEL_FILE', message: /no safetensors/ })
      await assert.rejects(modelShape(join(dir, 'nowhere')), { code: 'MODEL_FILE' })
      const cut = Buffer.alloc(12)
      cut.writeBigUInt64LE(5000n)
      await writeFile(join(dir, 'model.safetensors'), cut)
      await assert.rejects(modelShape(dir), { code: 'MODEL_FILE', message: /cut short/ })
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})

describe('the memory plan', () => {
  it('changes nothing where there is room', () => {
    const { plan, refusal } = fitTo({ device: 'cpu', freeMb: 1e6 }, billions, asked)
    assert.deepEqual([plan.microBatch, plan.checkpointing, plan.changes, refusal], [8, false, [], undefined])
  })

  it('halves the rows, then recomputes, then shortens, and says so, as there is less and less', () => {
    const at = (freeMb: number) => fitTo({ device: 'cpu', freeMb }, billions, asked).plan
    const free = (microBatch: number, checkpointing: boolean, tokens: number) => {
      const need = needOf(billions, { ...asked, fit: { microBatch, checkpointing }, tokens, device: 'cpu' })
      return Object.values(need).reduce((a, b) => a + b, 0) / 0.89
    }
    const settings = ({ microBatch, checkpointing, maxLength }: ReturnType<typeof at>) => [
      microBatch,
      checkpointing,
      maxLength,
    ]
    assert.deepEqual(settings(at(free(8, false, 1500))), [8, false, 2048])
    assert.deepEqual(settings(at(free(4, false, 1500))), [4, false, 2048])
    const small = at(free(1, true, 1500))
    assert.deepEqual(settings(small), [1, true, 2048])
    const least = at(free(1, true, 375))
    assert.deepEqual(settings(least), [1, true, 375])
    assert.match(least.summary, /1 rows at once instead of 8; activations computed twice.*; conversations cut to/)
    for (const plan of [small, least]) assert.ok(plan.needMb <= plan.freeMb * 0.9)
  })

  it('refuses what does not fit at its smallest, with what it needs, what is free and what to do', () => {
    const { refusal } = fitTo({ device: 'cuda', freeMb: 4000 }, billions, asked)
    assert.match(
      refusal ?? '',
      /needs about \d+ MB even at its smallest \(8000 MB for weights\).*4000 MB free.*smaller model/,
    )
  })

  it('counts a gradient and two moments for every weight of full fine-tuning, and no LoRA', () => {
    const fit = { microBatch: 1, checkpointing: true }
    const need = (device: 'cpu' | 'cuda') => needOf(billions, { ...asked, method: 'full', fit, tokens: 100, device })
    const { weights, 'gradients and Adam': trained, LoRA } = need('cpu')
    assert.deepEqual([weights, trained, LoRA], [16_000, 48_000, 0])
    assert.equal(need('cuda').weights, 24_000)
    const { refusal } = fitTo({ device: 'cuda', freeMb: 24_000 }, billions, { ...asked, method: 'full' })
    assert.match(refusal ?? '', /48000 MB for gradients and Adam/)
  })

  it('shares a step evenly among processes, which on the CPU share its memory too', () => {
    const on = (device: 'cpu' | 'cuda', freeMb: number, processes: number) =>
      fitTo({ device, freeMb, processes }, billions, asked).plan
    const roomy = on('cpu', 1e6, 2)
    assert.deepEqual([roomy.processes, roomy.microBatch, roomy.parts['weights']], [2, 4, 32_000])
    assert.equal(on('cpu', 1e6, 3).processes, 2)
    const tight = on('cpu', 30_000, 2)
    assert.deepEqual([tight.processes, tight.parts['weights']], [undefined, 16_000])
    assert.match(tight.summary, /one process instead of 2/)
    const gpus = on('cuda', 80_000, 4)
    assert.deepEqual([gpus.processes, gpus.sharded, gpus.parts['weights']], [4, undefined, 8_000])
    const split = on('cuda', 8_000, 4)
    assert.deepEqual([split.processes, split.sharded, split.parts['weights']], [4, true, 4_000])
    assert.match(split.summary, /each of 4 GPUs.*the weights are spread over 4 GPUs/)
  })

  it('needs a second model for RL, and leaves KTO the neighbour that it compares with', () => {
    const fit = { microBatch: 2, checkpointing: false }
    const weights = (method: 'dpo' | 'rl') =>
      needOf(billions, { ...asked, method, fit, tokens: 100, device: 'cpu' }).weights
    assert.equal(weights('rl'), 2 * weights('dpo'))
    assert.equal(stepDown('kto', fit)?.fit.microBatch, 2)
    assert.equal(stepDown('dpo', fit)?.fit.microBatch, 1)
    assert.equal(stepDown('kto', { microBatch: 2, checkpointing: true }), undefined)
  })
})
