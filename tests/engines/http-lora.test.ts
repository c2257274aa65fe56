import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { http } from '../../src/engines/http/index.ts'
import { HoneError } from '../../src/errors.ts'
import { silent } from '../../src/log.ts'
import { ask, run } from '../contracts/engine.ts'
import { type FakeServer, openAiServer } from '../fakes/openai-server.ts'

describe('LoRAs on a server', () => {
  let folder: string
  const servers: FakeServer[] = []
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hone-http-'))
    await mkdir(join(folder, 'v3/peft'), { recursive: true })
    await writeFile(join(folder, 'v3/peft/adapter_config.json'), '{}')
    await writeFile(join(folder, 'v3/lora.gguf'), 'GGUF')
    await writeFile(join(folder, 'alone.gguf'), 'GGUF')
  })
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  const start = async (options: Parameters<typeof openAiServer>[0]) => {
    const server = await openAiServer(options)
    servers.push(server)
    return { server, load: http({ url: server.url, model: 'test-model', log: silent }) }
  }
  const trained = (path = 'v3/lora.gguf', base = 'test-model') => ({
    id: 'v3',
    base,
    lora: { id: 'l3', path: join(folder, path), sha256: 'abcdef0123456789' },
  })
  const refusal = (code: string, words: RegExp) => (error: unknown) =>
    error instanceof HoneError && error.code === code && words.test(error.message)

  it('vLLM serves a version from its PEFT folder under a name of its own, and forgets it at dispose', async () => {
    const { server, load } = await start({ kind: 'vllm' })
    const engine = await load(trained())
    assert.deepEqual([...server.loras], [['hone-v3-abcdef012345', join(folder, 'v3/peft')]])
    assert.equal((await run(engine, ask('one two'))).text, ' twoone')
    await engine[Symbol.asyncDispose]()
    assert.equal(server.loras.size, 0)
  })

  it('scores differ with the LoRA, and v0 beside it stays bare', async () => {
    const { load } = await start({ kind: 'vllm' })
    const bare = await load({ id: 'v0', base: 'test-model' })
    const before = await bare.score?.(ask('a b'), 'c d')
    const tuned = await load(trained())
    const after = await bare.score?.(ask('a b'), 'c d')
    const other = await tuned.score?.(ask('a b'), 'c d')
    assert.deepEqual(after, before)
    assert.equal(other?.tokens, 3)
    assert.ok(Math.abs((before?.logProbability ?? 0) - (other?.logProbability ?? 0) - 3 * 0.25) < 1e-9)
    await tuned[Symbol.asyncDispose]()
  })

  it('two engines of one version share the LoRA, and the last one unloads it', async () => {
    const { server, load } = await start({ kind: 'vllm' })
    const [one, two] = await Promise.all([load(trained()), load(trained())])
    assert.equal(server.requests.filter(({ path }) => path === '/v1/load_lora_adapter').length, 1)
    await one[Symbol.asyncDispose]()
    await one[Symbol.asyncDispose]()
    assert.equal(server.loras.size, 1)
    await two[Symbol.asyncDispose]()
    assert.equal(server.loras.size, 0)
  })

  it('a LoRA that an earlier run left on the server is used', async () => {
    const { server, load } = await start({ kind: 'vllm' })
    await load(trained())
    const again = await http({ url: server.url, model: 'test-model', log: silent })(trained())
    assert.equal((await run(again, ask('one two'), { maxTokens: 1 })).text, ' two')
  })

  it('a version that is a model of its own is refused, with what to do', async () => {
    for (const kind of ['vllm', 'ollama', 'other'] as const) {
      const { load } = await start({ kind })
      const whole = { id: 'v4', base: 'test-model', model: { path: '/versions/v4/model.gguf', sha256: 'abc' } }
      await assert.rejects(load(whole), refusal('SWAP_REFUSED', /v4 is a model of its own.*v4\/model\.gguf/))
    }
  })

  it('says how vLLM must be started when it takes no LoRAs', async () => {
    const { load } = await start({ kind: 'vllm', loraUpdates: false })
    await assert.rejects(load(trained()), refusal('SWAP_REFUSED', /VLLM_ALLOW_RUNTIME_LORA_UPDATING/))
    await assert.rejects(load(trained()), refusal('SWAP_REFUSED', /VLLM_ALLOW_RUNTIME_LORA_UPDATING/))
  })

  it('refuses a LoRA without a PEFT folder on vLLM', async () => {
    const { load } = await start({ kind: 'vllm' })
    await assert.rejects(load(trained('alone.gguf')), refusal('SWAP_REFUSED', /no PEFT folder/))
  })

  it('refuses a LoRA of another base', async () => {
    const { load } = await start({ kind: 'vllm' })
    await assert.rejects(load(trained('v3/lora.gguf', 'other')), refusal('LORA_MISMATCH', /LoRA for other/))
  })

  it('refuses a LoRA on servers that can’t load one, and says what can', async () => {
    for (const kind of ['ollama', 'other'] as const) {
      const { load } = await start({ kind })
      await assert.rejects(load(trained()), refusal('SWAP_REFUSED', /Serve it in process|vLLM/))
    }
  })
})
