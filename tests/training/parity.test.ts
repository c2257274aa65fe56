import assert from 'node:assert/strict'
import { measureParity, repliesToScore } from '../../bench/parity.ts'
import { caught, tolerance } from '../../bench/suites/parity.ts'
import { trainingPython } from './child.ts'

describe('our GGUF of a PEFT LoRA', function suite() {
  this.timeout(300_000)

  it('says under llama.cpp what it says under PEFT, and a converter that forgets to permute does not', async () => {
    const found = await measureParity(await repliesToScore(6), await trainingPython())
    assert.equal(found.otherTokens, 0)
    assert.ok(Math.max(...found.lora) <= tolerance, `${found.lora}`)
    assert.ok(Math.max(...found.unpermuted) >= caught, `${found.unpermuted}`)
    assert.ok(Math.max(...found.effect) >= caught, `${found.effect}`)
  })
})
