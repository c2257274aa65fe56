import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { trainOptions } from '../../src/cli/train.ts'
import { outcomeText } from '../../src/outcome.ts'
import { forgetInTraining } from '../../training/index.ts'
import { fakeTrainer } from '../fakes/trainer.ts'
import { openHouse } from './house.ts'

const method = 'soft-prompt'

describe('a soft prompt', () => {
  it('is refused before anything is trained where no engine can load it, and the message says which could', async () => {
    await using house = await openHouse()
    const { refusal } = await house.learning.plan({ method })
    assert.match(refusal ?? '', /llama\.cpp[\s\S]+vLLM[\s\S]+Transformers with PEFT can[\s\S]+--export/)
    await assert.rejects(house.learning.start('web:anna', { method }), {
      code: 'ENGINE_MISSING',
      message: refusal ?? '',
    })
    assert.deepEqual([house.trainer.jobs, await house.store.jobs.list(1)], [[], []])
  })

  it('is not asked of a trainer that makes LoRAs alone; nor is a whole model, however little feedback there is', async () => {
    const { full: _, ...trainer } = fakeTrainer()
    await using house = await openHouse({ more: { trainer }, pairs: 3 })
    for (const options of [{ method, export: true }, { method: 'full' }] as const)
      await assert.rejects(house.learning.start('web:anna', options), { code: 'CONFIG', message: /makes LoRAs alone/ })
  })

  it('is trained for use elsewhere where that is asked for: a PEFT folder, no version, nothing that serves', async () => {
    await using house = await openHouse()
    const { learning, store, dir, slot } = house
    const watching = Array.fromAsync(learning.watch())
    const { id } = await learning.start('web:anna', { method, export: true })
    await watching
    const job = await store.jobs.get(id)
    assert.ok(job)
    assert.equal(job.state, 'kept', JSON.stringify(job.detail))
    const folder = join(dir, 'soft-prompts', id)
    assert.match(outcomeText(job), new RegExp(`kept[\\s\\S]+Its PEFT folder: ${folder}`))
    assert.deepEqual((await readdir(folder)).sort(), ['adapter_config.json', 'hone.json'])
    assert.deepEqual([(await learning.versions()).map((one) => one.id), slot.swapped], [['v0'], []])
    const [{ hyper, method: trained } = assert.fail()] = house.trainer.jobs
    assert.deepEqual([trained, hyper.learningRate], [method, 3e-2])
  })

  it('is no reason to refuse where the engine can load it', async () => {
    await using house = await openHouse({ script: { softPrompt: true } })
    assert.equal((await house.learning.plan({ method })).refusal, undefined)
  })

  it('goes with the person whose rows it was trained on', async () => {
    await using house = await openHouse()
    const { learning, store, registry, dir } = house
    const watching = Array.fromAsync(learning.watch())
    await learning.start('web:anna', { method, export: true })
    await watching
    await store.feedback.forget('web:anna')
    await forgetInTraining('web:anna', { store, registry, dataDir: dir })
    assert.deepEqual(await readdir(join(dir, 'soft-prompts')), [])
  })

  it('is what --export is for, and nothing else', () => {
    assert.deepEqual(trainOptions({ method, export: true }), { method, export: true })
    assert.throws(() => trainOptions({ method: 'dpo', export: true }), { code: 'INPUT', message: /--export is for/ })
  })
})
