import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GateReport } from '../src/ports/learning.ts'
import { removeFolder } from './files.ts'
import { sha256File } from './hash.ts'

/** How much of its change of the base a LoRA keeps when it is tried once more. */
export const weakerBy = 0.7

/** Checks of what the base can do, as against those of what people want and of what nobody may want. */
const ofTheBase: ReadonlySet<string> = new Set([
  'prose',
  'forms',
  'drift',
  'golden',
  'ignorance',
  'willing',
  'own-questions',
  'values',
  'refusal',
])

/** True for a candidate that learned all that it should, and is refused for what it lost of the base alone. */
export function lostTooMuch({ verdict, checks }: GateReport): boolean {
  return verdict === 'refuse' && checks.every(({ id, pass }) => pass || ofTheBase.has(id))
}

/** Where a LoRA lies. */
export interface LoraFiles {
  readonly gguf: string
  /** PEFT folder; absent where there is a GGUF alone. */
  readonly peft?: string
}

/**
 * Writes a copy of a LoRA into the folder `to` that changes the base by a share of what the LoRA does: nearer to the base, it loses less
 * of it (WiSE-FT, https://arxiv.org/abs/2109.01903). The matrices stay; the factor before them, alpha, is smaller in the GGUF
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) and in PEFT's config.
 *
 * @returns the copy with the SHA-256 of its GGUF; nothing for a GGUF without an alpha.
 * @example await weaken({ gguf: 'versions/v1/lora.gguf' }, 0.7, 'jobs/j_1/output.weaker')
 */
export async function weaken(
  { gguf, peft }: LoraFiles,
  share: number,
  to: string,
): Promise<(LoraFiles & { readonly sha256: string }) | undefined> {
  const bytes = await readFile(gguf)
  const at = alphaAt(bytes)
  if (at === undefined) return undefined
  bytes.writeFloatLE(bytes.readFloatLE(at) * share, at)
  await removeFolder(to)
  await mkdir(to, { recursive: true })
  const copy = join(to, 'lora.gguf')
  await writeFile(copy, bytes)
  const made = { gguf: copy, sha256: await sha256File(copy) }
  if (peft === undefined) return made
  const folder = join(to, 'peft')
  await cp(peft, folder, { recursive: true })
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as PeftConfig
  await writeFile(path, JSON.stringify(weakerConfig(config, share), undefined, 2))
  return { ...made, peft: folder }
}

interface PeftConfig {
  readonly lora_alpha: number
  readonly alpha_pattern?: Readonly<Record<string, number>>
}

function weakerConfig(config: PeftConfig, share: number): PeftConfig {
  const patterns = Object.entries(config.alpha_pattern ?? {}).map(([name, alpha]) => [name, alpha * share])
  return { ...config, lora_alpha: config.lora_alpha * share, alpha_pattern: Object.fromEntries(patterns) }
}

const alphaKey = 'adapter.lora.alpha'
const float32 = 6

/** Where the number stands: after the key with its length in eight bytes, and its type in four. Zero means that there is no factor. */
function alphaAt(bytes: Buffer): number | undefined {
  const key = Buffer.alloc(8 + alphaKey.length + 4)
  key.writeBigUInt64LE(BigInt(alphaKey.length))
  key.write(alphaKey, 8)
  key.writeUInt32LE(float32, 8 + alphaKey.length)
  const found = bytes.indexOf(key)
  if (found < 0) return undefined
  const at = found + key.length
  return bytes.readFloatLE(at) > 0 ? at : undefined
}
