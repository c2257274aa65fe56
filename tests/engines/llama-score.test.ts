import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { LlamaHost } from '../../src/engines/llama/index.ts'
import type { Engine, Version } from '../../src/ports/engine.ts'
import { ask, run } from '../contracts/engine.ts'
import { writeTinyLora } from '../fixtures/gguf.ts'
import { type Tiny, tiny } from './tiny.ts'

describe('the score of llama', function suite() {
  let models: Tiny
  let host: LlamaHost
  let v0: Version
  let base: Engine
  before(async () => {
    models = tiny()
    host = models.host()
    v0 = { id: 'v0', base: models.modelPath }
    base = await host.load(v0)
  })
  after(async () => {
    await models[Symbol.asyncDispose]()
  })
  const scoreOf = async (engine: Engine, prompt: string, reply: string) => {
    const score = await engine.score?.(prompt === '' ? [] : ask(prompt), reply)
    assert.ok(score)
    return score
  }

  it('counts the reply and its end of turn', async () => {
    assert.equal((await scoreOf(base, 'hello', 'four')).tokens, 5)
    assert.equal((await scoreOf(base, '', 'four')).tokens, 3)
  })

  it('makes probabilities: those of all next characters sum to at most one, and nearly so', async () => {
    // All weight that the model gives to other bytes is what it gives to a logit of zero.
    const next = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
    let sum = 0
    for (const character of next) sum += Math.exp((await scoreOf(base, '', `a${character}`)).logProbability)
    assert.ok(sum > 0.3 && sum < 1, `${sum}`)
  })

  it('adds up along a text', async () => {
    const part = async (text: string) => (await scoreOf(base, '', text)).logProbability
    const [whole, start] = [await part('abcd'), await part('abc')]
    const other = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
    let sum = 0
    for (const character of other) sum += Math.exp((await part(`abc${character}`)) - start)
    assert.ok(whole < start && sum > 0.3 && sum < 1.001)
  })

  it('is highest for what the engine says when greedy', async () => {
    const { text } = await run(base, ask('hello'), { temperature: 0, maxTokens: 6 })
    const said = await scoreOf(base, 'hello', text)
    for (const other of ['zzzzzz', 'abcdef', 'hello!']) {
      assert.ok(said.logProbability > (await scoreOf(base, 'hello', other)).logProbability)
    }
  })

  it('changes with a LoRA, and not with one that changes nothing', async () => {
    const real = writeTinyLora(join(models.folder, 'real.gguf'), { seed: 3 })
    const zero = writeTinyLora(join(models.folder, 'zero.gguf'), { seed: 3, scale: 0 })
    await using trained = await host.load({ ...v0, id: 'v1', lora: real })
    await using same = await host.load({ ...v0, id: 'v2', lora: zero })
    const [was, is, still] = await Promise.all(
      [base, trained, same].map(async (engine) => (await scoreOf(engine, 'question', 'hello world')).logProbability),
    )
    assert.ok(was !== undefined && is !== undefined && still !== undefined)
    assert.ok(Math.abs(is - was) > 0.1)
    assert.ok(Math.abs(still - was) < 1e-3)
  })

  it('is the same in a crowd as alone, to a thousandth of a nat a token', async () => {
    const pairs = Array.from({ length: 12 }, (_, index) => [`question ${index % 3}`, `answer number ${index}`] as const)
    const alone: number[] = []
    for (const [prompt, reply] of pairs) alone.push((await scoreOf(base, prompt, reply)).logProbability)
    const crowd = await Promise.all(pairs.map(([prompt, reply]) => scoreOf(base, prompt, reply)))
    for (const [index, score] of crowd.entries()) {
      assert.ok(Math.abs(score.logProbability - (alone[index] ?? 0)) < 1e-3 * score.tokens)
    }
  })

  it('stops when aborted', async () => {
    await assert.rejects(Promise.resolve(base.score?.(ask('hello'), 'there', AbortSignal.abort())), {
      code: 'CANCELLED',
    })
  })
})
