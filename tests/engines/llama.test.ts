import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { LlamaHost } from '../../src/engines/llama/index.ts'
import { type Logger, silent } from '../../src/log.ts'
import type { ChatMessage, Delta, Engine, Version } from '../../src/ports/engine.ts'
import { ask, engineContract, type Run, run } from '../contracts/engine.ts'
import { writeTinyLora, writeTinyModel } from '../fixtures/gguf.ts'
import { runs, type Tiny, tiny } from './tiny.ts'

const greedy = { temperature: 0, maxTokens: 24 }

describe('llama', function suite() {
  let models: Tiny
  let host: LlamaHost
  let v0: Version
  let engine: Engine
  before(async () => {
    models = tiny()
    host = models.host()
    v0 = { id: 'v0', base: models.modelPath }
    engine = await host.load(v0)
  })
  after(async () => {
    await models[Symbol.asyncDispose]()
  })

  engineContract('llama', { open: () => host.load(v0) })

  it('evaluates only what is new in a dialogue that only grows', async () => {
    const messages: ChatMessage[] = [{ role: 'system', content: 'A system message that is rather long. '.repeat(4) }]
    let necessary = 0
    let evaluated = 0
    let known = 0
    for (let turn = 0; turn < 10; turn++) {
      messages.push({ role: 'user', content: `Question ${turn}, with a passage of the handbook before it.` })
      const { text, usage } = await run(engine, messages, { ...greedy, cacheKey: 'thread' })
      messages.push({ role: 'assistant', content: text })
      necessary += usage.prompt - known
      evaluated += usage.evaluated
      known = usage.prompt + usage.completion
    }
    assert.ok(necessary / evaluated >= 0.95, `${necessary} of ${evaluated} were necessary`)
  })

  it('says in a crowd what it says alone', async () => {
    const prompts = Array.from({ length: 8 }, (_, index) => ask(`question number ${index}`))
    const alone: string[] = []
    for (const prompt of prompts) alone.push((await run(engine, prompt, greedy)).text)
    const crowd = await Promise.all(
      prompts.map((prompt, index) => run(engine, prompt, { ...greedy, cacheKey: `k${index}` })),
    )
    assert.deepEqual(crowd.map(textOf), alone)
  })

  it('shares nothing between two threads with different prompts', async () => {
    await run(engine, ask('the secret of the first thread'), { ...greedy, cacheKey: 'one' })
    const fresh = await (await host.load(v0)).countTokens?.(ask('another question'))
    const other = await run(engine, ask('another question'), { ...greedy, cacheKey: 'two' })
    assert.equal(other.usage.prompt, fresh)
    const common = '<|im_start|>user\n'.length
    assert.ok(other.usage.evaluated >= other.usage.prompt - common)
  })

  it('finishes every stream on its own engine while another version is loaded beside it', async () => {
    const alone = (await run(engine, ask('swap'), { ...greedy, maxTokens: 60 })).text
    const streams = Array.from({ length: 8 }, () => run(engine, ask('swap'), { ...greedy, maxTokens: 60 }))
    const lora = writeTinyLora(join(models.folder, 'swap.gguf'), { seed: 5 })
    const next = await host.load({ ...v0, id: 'v1', lora })
    const other = await run(next, ask('swap'), { ...greedy, maxTokens: 60 })
    for (const stream of await Promise.all(streams)) assert.equal(stream.text, alone)
    assert.notEqual(other.text, alone)
    await next[Symbol.asyncDispose]()
    assert.equal((await run(engine, ask('swap'), { ...greedy, maxTokens: 60 })).text, alone)
  })

  it('stops within a token of an abort', async () => {
    const stop = new AbortController()
    let said = ''
    let end: Delta | undefined
    for await (const delta of engine.generate(ask('go on'), { ...greedy, maxTokens: 1500, signal: stop.signal })) {
      if (delta.kind === 'end') end = delta
      else said += delta.text
      if (said.length >= 5) stop.abort()
    }
    assert.ok(end?.kind === 'end' && end.reason === 'aborted')
    assert.ok(end.usage.completion < 100, `${end.usage.completion} tokens`)
  })

  it('lets one who waits in line leave it', async () => {
    const long = Array.from({ length: 4 }, () => run(engine, ask('long'), { ...greedy, maxTokens: 300 }))
    const stop = new AbortController()
    const waiting = run(engine, ask('waiting'), { ...greedy, signal: stop.signal })
    stop.abort()
    const { reason, usage } = await waiting
    assert.equal(reason, 'aborted')
    assert.equal(usage.completion, 0)
    await Promise.all(long)
  })

  it('repeats a seeded sample and varies with the seed', async () => {
    const sample = (seed: number) => run(engine, ask('sample'), { maxTokens: 24, temperature: 1, seed }).then(textOf)
    assert.equal(await sample(1), await sample(1))
    assert.notEqual(await sample(1), await sample(2))
  })

  it('refuses a prompt that is longer than its context, and says so', async () => {
    await assert.rejects(run(engine, ask('x'.repeat(3000))), { code: 'INPUT', message: /3\d\d\d tokens/ })
  })

  it('ends with reason length where the context ends', async () => {
    const { reason, usage } = await run(engine, ask('x'.repeat(1900)), { temperature: 0 })
    assert.equal(reason, 'length')
    assert.equal(usage.prompt + usage.completion, engine.contextTokens)
  })

  it('embeds texts when the model is made for that', async () => {
    const modelPath = writeTinyModel(join(models.folder, 'embed.gguf'), { pooling: true })
    const embedder = await models.host({ modelPath }).load({ id: 'v0', base: modelPath })
    assert.equal(embedder.score, undefined)
    await assert.rejects(run(embedder, ask('hello')), { code: 'ENGINE_MISSING' })
    const [red, blue, again] = (await embedder.embed?.(['a red house', 'a blue car', 'a red house'])) ?? []
    assert.ok(red && Math.abs(Math.hypot(...red) - 1) < 1e-5)
    assert.deepEqual(again, red)
    assert.notDeepEqual(blue, red)
  })

  it('serves a version that is a model of its own from another process, which ends with it', async () => {
    const own = writeTinyModel(join(models.folder, 'own.gguf'), { seed: 9 })
    const pids: number[] = []
    const info: Logger['info'] = (event, fields) => {
      if (event === 'llama.started') pids.push(Number(fields?.['pid']))
    }
    const both = models.host({ log: { ...silent, info } })
    const base = await both.load(v0)
    const version = { id: 'v1', base: models.modelPath, model: { path: own, sha256: '' } }
    const tuned = await both.load(version)
    await using alone = await models.host({ modelPath: own }).load({ id: 'v0', base: own })
    const scoreOf = async (one: Engine) => (await one.score?.(ask('hello'), 'good day'))?.logProbability
    assert.equal(await scoreOf(tuned), await scoreOf(alone))
    assert.notEqual(await scoreOf(tuned), await scoreOf(base))
    const [first, second] = pids
    assert.ok(first && second && pids.length === 2)
    await tuned[Symbol.asyncDispose]()
    assert.deepEqual([runs(first), runs(second)], [true, false])
    await assert.rejects(both.load({ ...version, base: own }), { code: 'LORA_MISMATCH' })
    await assert.rejects(both.load({ ...version, model: { path: `${own}.gone`, sha256: '' } }), {
      code: 'ENGINE_MISSING',
    })
    assert.equal(await scoreOf(base), await scoreOf(await both.load(v0)))
  })

  it('takes the texts of special tokens in a message as text', async () => {
    const plain = await engine.countTokens?.(ask(''))
    const typed = await engine.countTokens?.(ask('<|im_end|>'))
    assert.equal((typed ?? 0) - (plain ?? 0), '<|im_end|>'.length)
    const [tokens = []] = await host.tokenize(['a <|im_start|> b<|im_end|>'])
    assert.deepEqual(tokens, [...Buffer.from('a <|im_start|> b<|im_end|>')])
  })
})

function textOf(one: Run): string {
  return one.text
}
