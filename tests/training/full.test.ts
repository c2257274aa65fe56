import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planText } from '../../src/commands.ts'
import type { TrainOptions } from '../../src/ports/learning.ts'
import { forgetInTraining } from '../../training/forget.ts'
import { planFull, toPrune } from '../../training/full.ts'
import { fakeTrainer } from '../fakes/trainer.ts'
import { type House, type HouseOptions, openHouse } from './house.ts'

const shape = { parameters: 1000, loraPerRank: 10, layers: 1, hidden: 8, intermediate: 16, vocabulary: 50 }
const on = { base: import.meta.filename, trainer: fakeTrainer(), dataDir: tmpdir(), shape }

describe('full fine-tuning', () => {
  let house: House | undefined
  const open = async (options?: HouseOptions) => {
    house = await openHouse(options)
    return house
  }
  afterEach(async () => {
    await house?.[Symbol.asyncDispose]()
    house = undefined
  })

  /** Runs to the end and answers the state that the run ended in. */
  async function runOnce({ learning, store }: House, options: TrainOptions = { method: 'full' }): Promise<string> {
    const watching = learning.watch()
    const { id } = await learning.start('web:anna', options)
    for await (const _ of watching);
    const job = await store.jobs.get(id)
    return job?.state === 'promoted' ? 'promoted' : JSON.stringify(job?.detail)
  }

  it('makes a model of its own that serves in place of the base, from the same rows as SFT, at a tenth of the rate', async () => {
    const { learning, slot, trainer, dir } = await open()
    assert.equal(await runOnce(house as House), 'promoted')
    const { lora, model, base } = slot.version
    assert.deepEqual(
      [lora, model?.path, base],
      [undefined, join(dir, 'versions/v1/model.gguf'), join(dir, 'base.gguf')],
    )
    assert.deepEqual((await readdir(join(dir, 'versions/v1'))).toSorted(), ['manifest.json', 'model', 'model.gguf'])
    const [job] = trainer.jobs
    assert.deepEqual([job?.gguf, job?.hyper.learningRate, job?.checkpointSeconds], [base, 1e-4, 600])
    assert.match(
      planText(await learning.plan({ method: 'full' })),
      /A whole model: about \d+ MB of disk while it trains/,
    )
    assert.equal(await learning.rollback('web:anna'), 'v0')
  })

  it('keeps what serves, what served before it and the newest few; the others leave their manifest', async () => {
    const { learning, dir } = await open({ more: { keepModels: 0 } })
    for (const state of ['promoted', 'promoted', 'promoted']) assert.equal(await runOnce(house as House), state)
    assert.deepEqual(
      (await learning.versions()).map(({ id, pruned, serving }) => [id, pruned, serving]),
      [
        ['v0', undefined, false],
        ['v1', true, false],
        ['v2', undefined, false],
        ['v3', undefined, true],
      ],
    )
    assert.deepEqual(await readdir(join(dir, 'versions/v1')), ['manifest.json'])
    await assert.rejects(learning.promote('v1', 'web:anna'), { code: 'NOT_FOUND', message: /removed to save space/ })
    assert.equal(await learning.rollback('web:anna'), 'v2')
    assert.equal(await learning.rollback('web:anna'), 'v0')
  })

  it('leaves no model that learned from a person who is forgotten', async () => {
    const { learning, store, registry, dir, slot } = await open()
    assert.equal(await runOnce(house as House), 'promoted')
    await store.feedback.forget('web:anna')
    const { versions, serving } = await forgetInTraining('web:anna', { store, registry, dataDir: dir, learning })
    assert.deepEqual([versions, serving, slot.version.id], [['v1'], 'v0', 'v0'])
    assert.deepEqual(await readdir(join(dir, 'versions/v1')), ['manifest.json'])
  })

  it('is refused before it starts where a server serves, the trainer makes LoRAs alone or the disk is too small', async () => {
    const refusal = async (more: Partial<typeof on> | { trainer: object }) =>
      (await planFull('full', { ...on, ...more } as typeof on)).refusal
    assert.equal(await refusal({}), undefined)
    assert.match((await refusal({ base: 'Qwen/Qwen3-4B' }))?.message ?? '', /Qwen\/Qwen3-4B is served by one/)
    const { full: _, ...external } = fakeTrainer()
    assert.match((await refusal({ trainer: external }))?.message ?? '', /HONE_TRAIN_COMMAND/)
    const huge = await refusal({ shape: { ...shape, parameters: 1e15 } })
    assert.deepEqual([huge?.code, /needs about 44000000000 MB/.test(huge?.message ?? '')], ['DISK_FULL', true])
    assert.deepEqual(await planFull('sft', { ...on, base: 'Qwen/Qwen3-4B' }), {})
    const { learning, trainer } = await open({ more: { trainer: external } })
    assert.match((await learning.plan({ method: 'full' })).refusal ?? '', /makes LoRAs alone/)
    await assert.rejects(learning.start('web:anna', { method: 'full' }), { code: 'CONFIG' })
    assert.deepEqual(trainer.jobs, [])
  })
})

describe('pruning', () => {
  const version = (id: string, verdict = 'promote', more = {}) => ({ id, model: {}, gate: { verdict }, ...more })

  it('takes models that can never serve first, and never one that serves or a LoRA', () => {
    const all = [
      version('v1'),
      version('v2', 'refuse'),
      version('v3', 'hold'),
      { id: 'v4', gate: { verdict: 'promote' } },
      version('v5', 'promote', { forgotten: true }),
      version('v6'),
      version('v7', 'promote', { model: { pruned: true } }),
    ]
    assert.deepEqual(toPrune(all, { standing: ['v6', undefined], keep: 1 }), ['v1', 'v2', 'v5'])
    assert.deepEqual(toPrune(all, { standing: ['v6', 'v1'], keep: 0 }), ['v2', 'v3', 'v5'])
    assert.deepEqual(toPrune(all, { standing: ['v6'], keep: Number.POSITIVE_INFINITY }), ['v2', 'v5'])
  })
})
