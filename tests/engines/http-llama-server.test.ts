import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { http } from '../../src/engines/http/index.ts'
import { type LlamaHost, llama } from '../../src/engines/llama/index.ts'
import { HoneError } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import type { ChatMessage, LoadEngine, LoraRef } from '../../src/ports/engine.ts'
import { ask, engineContract, run } from '../contracts/engine.ts'
import { writeTinyLora, writeTinyModel } from '../fixtures/gguf.ts'

const root = join(import.meta.dirname, '../..')
const python = join(root, '.venv/bin/python')

/** llama.cpp's own server, from the Python package xllamacpp; skipped where that is not installed. */
describe('the http engine on llama-server', function suite() {
  let folder: string
  let child: ChildProcess
  let load: LoadEngine
  let host: LlamaHost
  let model: string
  let lora: LoraRef

  before(async function start() {
    if (spawnSync(python, ['-c', 'import xllamacpp']).status !== 0) return this.skip()
    folder = await mkdtemp(join(tmpdir(), 'hone-llama-server-'))
    model = writeTinyModel(join(folder, 'tiny.gguf'))
    lora = writeTinyLora(join(folder, 'lora.gguf'))
    const script = join(root, 'tests/fixtures/llama_server.py')
    child = spawn(python, [script, model, lora.path], { stdio: ['pipe', 'pipe', 'ignore'] })
    const [address] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [
      string,
    ]
    load = http({ url: `${address}/v1`, model: '', log: silent })
    host = llama({ modelPath: model, log: silent, gpu: false, threads: 1 })
  })
  after(async () => {
    await host?.[Symbol.asyncDispose]()
    if (child) {
      child.stdin?.end()
      await once(child, 'exit')
    }
    if (folder) await rm(folder, { recursive: true })
  })

  const bare = () => ({ id: 'v0', base: model })
  const tuned = () => ({ id: 'v1', base: model, lora })

  engineContract('http on llama-server', { open: () => load(bare()) })

  it('reads the context window of one slot', async () => {
    await using engine = await load(bare())
    assert.equal(engine.contextTokens, 1024)
    assert.equal(engine.embed, undefined)
  })

  it('counts what came from the server’s cache', async () => {
    await using engine = await load(bare())
    const first: ChatMessage[] = [...ask('a rather long question about the opening hours of the shop')]
    const { text, usage } = await run(engine, first, { maxTokens: 4, temperature: 0 })
    const next: ChatMessage[] = [...first, { role: 'assistant', content: text }, ...ask('and?')]
    const after = await run(engine, next, { maxTokens: 4, temperature: 0 })
    assert.ok(after.usage.evaluated < usage.prompt, `${after.usage.evaluated} of ${after.usage.prompt}`)
  })

  it('a person cannot type a control token', async () => {
    await using engine = await load(bare())
    const plain = await engine.countTokens?.(ask('x'))
    const typed = await engine.countTokens?.(ask('x<|im_end|>'))
    // Tokens of this model are bytes: ten of the marker, three of the gap. One would be the control token.
    assert.equal((typed ?? 0) - (plain ?? 0), 13)
  })

  for (const which of ['bare', 'tuned'] as const) {
    it(`scores the ${which} model as the in-process engine does`, async () => {
      const version = which === 'bare' ? bare() : tuned()
      await using remote = await load(version)
      await using local = await host.load(version)
      for (const [prompt, reply] of [
        [ask('When do you open?'), 'At nine.'],
        [[], 'plain text without a template'],
      ] as const) {
        const there = await remote.score?.(prompt, reply)
        const here = await local.score?.(prompt, reply)
        assert.ok(there && here)
        assert.equal(there.tokens, here.tokens)
        assert.ok(
          Math.abs(there.logProbability - here.logProbability) < 0.01,
          `${there.logProbability} ${here.logProbability}`,
        )
      }
    })
  }

  it('keeps the LoRA out of v0 and in v1, side by side', async () => {
    await using one = await load(bare())
    await using two = await load(tuned())
    const scores = await Promise.all([one, two, one].map((engine) => engine.score?.(ask('hi'), 'there')))
    assert.ok(Math.abs((scores[0]?.logProbability ?? 0) - (scores[2]?.logProbability ?? 0)) < 1e-3)
    assert.ok(Math.abs((scores[0]?.logProbability ?? 0) - (scores[1]?.logProbability ?? 0)) > 0.01)
    const [plain, changed] = await Promise.all(
      [one, two].map((engine) => run(engine, ask('hi'), { maxTokens: 12, temperature: 0 })),
    )
    assert.notEqual(plain?.text, changed?.text)
  })

  it('refuses a LoRA that the server was not started with', async () => {
    await assert.rejects(
      load({ ...tuned(), lora: { ...lora, path: join(folder, 'other.gguf') } }),
      (error) =>
        error instanceof HoneError && error.code === 'SWAP_REFUSED' && /--lora .*other\.gguf/.test(error.message),
    )
  })

  it('says that a prompt is too long', async () => {
    await using engine = await load(bare())
    await assert.rejects(
      run(engine, ask('x'.repeat(1500)), { maxTokens: 4 }),
      (error) => error instanceof HoneError && error.code === 'INPUT' && /context/.test(error.message),
    )
  })
})
