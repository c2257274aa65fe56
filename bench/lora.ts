import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { readGguf } from '../src/engines/llama/check.ts'
import type { LoraRef } from '../src/ports/engine.ts'
import { type GgufTensor, gguf } from '../tests/fixtures/gguf.ts'
import { seeded } from './result.ts'

const rank = 16

/** Writes a LoRA of random weights that fits a model's attention: enough to change every reply. */
export async function writeRandomLora(model: string, path: string, seed: number): Promise<LoraRef> {
  const random = seeded(seed)
  const filled = (scale: number, ...shape: readonly number[]): GgufTensor => ({
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => (random() * 2 - 1) * scale),
  })
  const info = await readGguf(model)
  const tensors: Record<string, GgufTensor> = {}
  for (const { name, dimensions } of info.tensorInfo ?? []) {
    const [from = 0, to = 0] = dimensions.map(Number)
    if (!/^blk\.\d+\.attn_(q|v|output)\.weight$/.test(name)) continue
    tensors[`${name}.lora_a`] = filled(1 / Math.sqrt(from), from, rank)
    tensors[`${name}.lora_b`] = filled(0.2, rank, to)
  }
  const bytes = gguf(
    {
      'general.type': { text: 'adapter' },
      'general.architecture': { text: info.metadata.general.architecture },
      'adapter.type': { text: 'lora' },
      'adapter.lora.alpha': { f32: rank },
    },
    tensors,
  )
  await writeFile(path, bytes)
  return { id: path, path, sha256: createHash('sha256').update(bytes).digest('hex') }
}
