import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256File } from '../../training/hash.ts'
import { weaken } from '../../training/weaken.ts'
import { alphaField } from '../fakes/trainer.ts'

describe('a weaker LoRA', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hone-weaken-'))
  })
  afterEach(() => rm(dir, { recursive: true }))
  const write = async (...parts: readonly Buffer[]) => {
    const gguf = join(dir, 'lora.gguf')
    await writeFile(gguf, Buffer.concat([Buffer.from('GGUF'), ...parts, Buffer.from('matrices')]))
    return gguf
  }

  it('is the same file but for its alpha, with the checksum of what was written', async () => {
    const gguf = await write(alphaField(16))
    const made = await weaken({ gguf }, 0.5, join(dir, 'to'))
    assert.ok(made)
    const [before, after] = [await readFile(gguf), await readFile(made.gguf)]
    const at = before.length - 'matrices'.length - 4
    assert.deepEqual([before.readFloatLE(at), after.readFloatLE(at)], [16, 8])
    after.writeFloatLE(16, at)
    assert.deepEqual(after, before)
    assert.deepEqual([made.sha256, made.peft], [await sha256File(made.gguf), undefined])
  })

  it("has PEFT's config say so too, for layers with an alpha of their own as well", async () => {
    const peft = join(dir, 'peft')
    await mkdir(peft)
    const config = { r: 8, lora_alpha: 16, alpha_pattern: { q_proj: 4 } }
    await writeFile(join(peft, 'adapter_config.json'), JSON.stringify(config))
    await writeFile(join(peft, 'adapter_model.safetensors'), 'matrices')
    const made = await weaken({ gguf: await write(alphaField(16)), peft }, 0.5, join(dir, 'to'))
    const read = async (name: string) => readFile(join(made?.peft ?? '', name), 'utf8')
    assert.deepEqual(JSON.parse(await read('adapter_config.json')), {
      r: 8,
      lora_alpha: 8,
      alpha_pattern: { q_proj: 2 },
    })
    assert.equal(await read('adapter_model.safetensors'), 'matrices')
  })

  it('is not made of a GGUF that names no alpha, or none that counts', async () => {
    for (const parts of [[], [alphaField(0)]])
      assert.equal(await weaken({ gguf: await write(...parts) }, 0.5, join(dir, 'to')), undefined)
  })
})
