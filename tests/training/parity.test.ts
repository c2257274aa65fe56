import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { measureParity, repliesToScore } from '../../bench/parity.ts'
import { caught, tolerance } from '../../bench/suites/parity.ts'
import { pythonFolder, trainingPython } from './child.ts'

const run = promisify(execFile)

/** Nats a token: with a base in float32 only llama.cpp's keys and values are rounded. */
const close = 0.002

/** What eight bits a weight may cost on the mean: 0.019 of such large changes as this LoRA's, and 0.15 with a wrong one. */
const coarse = 0.04

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** A Mistral is stored as a Llama, which the starter model is. */
const families = ['qwen2', 'qwen3', 'gemma2', 'gemma3_text']

describe('our GGUF of a PEFT LoRA', function suite() {
  this.timeout(300_000)
  let folder = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hone-families-'))
    await run(await trainingPython(), [join(pythonFolder, 'tests', 'families.py'), folder, ...families])
  })

  after(() => rm(folder, { recursive: true, force: true }))

  it('says under llama.cpp what it says under PEFT, and a converter that forgets to permute does not', async () => {
    const found = await measureParity(await repliesToScore(6), await trainingPython())
    assert.equal(found.otherTokens, 0)
    assert.ok(Math.max(...found.lora) <= tolerance, `${found.lora}`)
    assert.ok(Math.max(...found.wrong) >= caught, `${found.wrong}`)
    assert.ok(Math.max(...found.effect) >= caught, `${found.effect}`)
    assert.ok(mean(found.quantised) <= coarse, `${found.quantised}`)
    assert.ok(mean(found.quantisedWrong) >= 2 * coarse, `${found.quantisedWrong}`)
  })

  for (const kind of families) {
    it(`says the same for a ${kind}, and a converter that permutes its rows does not`, async () => {
      const forms = { folder: join(folder, kind, 'hf'), gguf: join(folder, kind, 'model.gguf') }
      const found = await measureParity(await repliesToScore(3), await trainingPython(), forms)
      assert.equal(found.otherTokens, 0)
      assert.ok(Math.max(...found.lora) <= close, `${found.lora}`)
      assert.ok(Math.max(...found.wrong) >= 10 * close, `${found.wrong}`)
      assert.ok(Math.max(...found.effect) >= 10 * close, `${found.effect}`)
    })
  }
})
