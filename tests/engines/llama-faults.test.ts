import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { checkModel } from '../../src/engines/llama/check.ts'
import { readTokenEmbeddings } from '../../src/engines/llama/index.ts'
import type { LoraRef } from '../../src/ports/engine.ts'
import { ask, run } from '../contracts/engine.ts'
import { gguf, type TinyLora, writeTinyLora, writeTinyModel } from '../fixtures/gguf.ts'
import { runs, type Tiny, tiny } from './tiny.ts'

const greedy = { temperature: 0, maxTokens: 24 }

describe('llama, when things go wrong,', function suite() {
  let models: Tiny
  before(() => {
    models = tiny()
  })
  after(async () => {
    await models[Symbol.asyncDispose]()
  })
  const v0 = () => ({ id: 'v0', base: models.modelPath })
  const lora = (name: string, options?: TinyLora): LoraRef => writeTinyLora(join(models.folder, name), options)
  const load = (modelPath: string) => models.host({ modelPath }).load({ id: 'v0', base: modelPath })

  it('names a model file that is not there', async () => {
    await assert.rejects(load(join(models.folder, 'none.gguf')), { code: 'ENGINE_MISSING', message: /none\.gguf/ })
  })

  it('refuses garbage for a model', async () => {
    for (const [name, bytes] of [
      ['text.gguf', Buffer.from('this is no model')],
      ['empty.gguf', Buffer.alloc(0)],
      ['magic.gguf', Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(400, 255)])],
    ] as const) {
      const path = join(models.folder, name)
      writeFileSync(path, bytes)
      await assert.rejects(checkModel(path), { code: 'MODEL_FILE', message: new RegExp(name) })
    }
  })

  it('refuses a model without weights, which only llama.cpp notices', async () => {
    const path = join(models.folder, 'nothing.gguf')
    writeFileSync(path, gguf({ 'general.architecture': { text: 'llama' } }, {}))
    await assert.rejects(load(path), { code: 'MODEL_FILE', message: /nothing\.gguf/ })
  })

  it('refuses a model that is cut short, wherever it is cut', async () => {
    const path = join(models.folder, 'short.gguf')
    const whole = readFileSync(models.modelPath).length
    const cut = (share: number) => {
      writeTinyModel(path)
      truncateSync(path, Math.floor(whole * share))
    }
    for (const share of [0.5, 0.01]) {
      cut(share)
      await assert.rejects(checkModel(path), { code: 'MODEL_FILE', message: /short\.gguf/ })
    }
    cut(0.999)
    await assert.rejects(checkModel(path), { code: 'MODEL_FILE', message: /ends in output\.weight/ })
    await assert.rejects(readTokenEmbeddings(path), { code: 'MODEL_FILE', message: /short\.gguf/ })
    await assert.rejects(load(path), { code: 'MODEL_FILE', message: /short\.gguf/ })
  })

  it('refuses a LoRA that is broken or for another base', async () => {
    const host = models.host()
    const cases: [string, TinyLora, string][] = [
      ['nan.gguf', { broken: 'nan' }, 'MODEL_FILE'],
      ['architecture.gguf', { broken: 'architecture' }, 'LORA_MISMATCH'],
      ['name.gguf', { broken: 'name' }, 'LORA_MISMATCH'],
      ['alpha.gguf', { broken: 'alpha' }, 'LORA_MISMATCH'],
      ['unpaired.gguf', { broken: 'unpaired' }, 'LORA_MISMATCH'],
      ['wide.gguf', { width: 64 }, 'LORA_MISMATCH'],
    ]
    for (const [name, options, code] of cases) {
      const broken = lora(name, options)
      await assert.rejects(host.load({ ...v0(), lora: broken }), { code, message: new RegExp(name) })
    }
    assert.ok((await run(await host.load(v0()), ask('still there'), greedy)).text.length > 0)
  })

  it('refuses a LoRA that is not the file that was published', async () => {
    const published = lora('published.gguf')
    lora('published.gguf', { seed: 99 })
    await assert.rejects(models.host().load({ ...v0(), lora: published }), {
      code: 'LORA_MISMATCH',
      message: /SHA-256/,
    })
  })

  it('refuses a version of another base', async () => {
    const other = { id: 'v7', base: writeTinyModel(join(models.folder, 'other.gguf'), { seed: 9 }) }
    await assert.rejects(models.host().load(other), { code: 'LORA_MISMATCH', message: /v7/ })
  })

  it('fails what was running when its process is killed, and serves the next call', async () => {
    const host = models.host()
    await using engine = await host.load({ ...v0(), id: 'v1', lora: lora('killed.gguf') })
    const before = (await run(engine, ask('hello'), greedy)).text
    const killed = host.pid as number
    const running = engine.generate(ask('hello'), { temperature: 0, maxTokens: 1500 })
    const started = running[Symbol.asyncIterator]()
    await started.next()
    process.kill(killed, 'SIGKILL')
    await assert.rejects(drain(started), { code: 'ENGINE_FAILED' })
    const after = await Promise.all([1, 2, 3].map(() => run(engine, ask('hello'), greedy)))
    assert.deepEqual(
      after.map(({ text }) => text),
      [before, before, before],
    )
    assert.notEqual(host.pid, killed)
  })

  it('moves to a fresh process after so many LoRAs, and ends the old one with its last engine', async () => {
    const host = models.host({ recycleAfter: 2 })
    const first = await host.load({ ...v0(), id: 'v1', lora: lora('r1.gguf', { seed: 11 }) })
    const old = host.pid as number
    await using second = await host.load({ ...v0(), id: 'v2', lora: lora('r2.gguf', { seed: 12 }) })
    assert.equal(host.pid, old)
    await using third = await host.load({ ...v0(), id: 'v3', lora: lora('r3.gguf', { seed: 13 }) })
    assert.notEqual(host.pid, old)
    await first[Symbol.asyncDispose]()
    assert.ok((await run(second, ask('on the old one'), greedy)).text.length > 0)
    assert.ok(runs(old))
    await second[Symbol.asyncDispose]()
    assert.ok(!runs(old))
    assert.ok((await run(third, ask('on the new one'), greedy)).text.length > 0)
  })

  it('serves a new LoRA under an old path, which llama.cpp would not', async () => {
    const host = models.host()
    await using first = await host.load({ ...v0(), id: 'v1', lora: lora('same.gguf', { seed: 21 }) })
    const before = (await run(first, ask('same path'), greedy)).text
    const other = { ...v0(), id: 'v2', lora: lora('same.gguf', { seed: 22 }) }
    await using second = await host.load(other)
    const after = (await run(second, ask('same path'), greedy)).text
    assert.notEqual(after, before)
    await using alone = await models.host().load(other)
    assert.equal((await run(alone, ask('same path'), greedy)).text, after)
  })

  it('goes on after a restart', async () => {
    const host = models.host()
    await using engine = await host.load(v0())
    const before = (await run(engine, ask('again'), greedy)).text
    await host.restart()
    assert.equal((await run(engine, ask('again'), greedy)).text, before)
  })

  it('leaves no process behind when its parent is killed', async () => {
    const script = join(import.meta.dirname, 'orphan.ts')
    const parent = spawn(process.execPath, [script, models.modelPath], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    assert.ok(runs(pid))
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    // The process is not our child, so there is no event to wait for.
    while (runs(pid)) await setTimeout(5)
  })

  it('says that it was disposed', async () => {
    const host = models.host()
    const engine = await host.load(v0())
    await engine[Symbol.asyncDispose]()
    await assert.rejects(run(engine, ask('hello')), { code: 'ENGINE_FAILED', message: /disposed/ })
    await host[Symbol.asyncDispose]()
    await assert.rejects(host.load(v0()), { code: 'ENGINE_FAILED' })
  })

  it('reads token embeddings from the file, and no token that is not there', async () => {
    using table = await readTokenEmbeddings(models.modelPath)
    assert.deepEqual([table.rows, table.width], [260, 32])
    assert.equal(table.row(65).length, 32)
    assert.notDeepEqual(table.row(65), table.row(66))
    assert.throws(() => table.row(260), { code: 'INPUT' })
  })
})

async function drain(iterator: AsyncIterator<unknown>): Promise<void> {
  while (!(await iterator.next()).done);
}
