import { copyFile, cp, mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GateReport } from '../src/ports/learning.ts'
import { removeFolder, syncFiles, writeDurably } from './files.ts'
import { sha256File } from './hash.ts'

/** How much of its change of the base a LoRA keeps when it is tried once more. */
export const weakerBy = 0.7

/** Checks of what the base, or the version that serves, can do; the others are of what people want and of what nobody may want. */
export const ofTheBase: ReadonlySet<string> = new Set([
  'prose',
  'forms',
  'drift',
  'golden',
  'ignorance',
  'willing',
  'own-questions',
  'values',
  'refusal',
  'pushback',
])

/** True for a candidate that learned all that it should, and is refused for what it lost alone. */
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
  await removeFolder(to)
  await mkdir(to, { recursive: true })
  const copy = join(to, 'lora.gguf')
  await copyFile(gguf, copy)
  if (!(await scaleAlpha(copy, share))) return undefined
  const made = { gguf: copy, sha256: await sha256File(copy) }
  if (peft === undefined) return made
  const folder = join(to, 'peft')
  await cp(peft, folder, { recursive: true })
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as PeftConfig
  await writeDurably(path, `${JSON.stringify(weakerConfig(config, share), undefined, 2)}\n`)
  await syncFiles(folder)
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
/** All that is said of a LoRA stands before its matrices, and is far shorter. */
const headBytes = 2 ** 20

/** Multiplies the alpha of a GGUF in its place, down to the disk. False: it has none. */
async function scaleAlpha(path: string, share: number): Promise<boolean> {
  await using file = await open(path, 'r+')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  const at = alphaAt(buffer.subarray(0, bytesRead))
  if (at === undefined) return false
  const alpha = Buffer.alloc(4)
  alpha.writeFloatLE(buffer.readFloatLE(at) * share)
  await file.write(alpha, 0, alpha.length, at)
  await file.sync()
  return true
}

/** Where the number stands: after the key with its length in eight bytes, and its type in four. Zero means that there is no factor. */
function alphaAt(head: Buffer): number | undefined {
  const key = Buffer.alloc(8 + alphaKey.length + 4)
  key.writeBigUInt64LE(BigInt(alphaKey.length))
  key.write(alphaKey, 8)
  key.writeUInt32LE(float32, 8 + alphaKey.length)
  const found = head.indexOf(key)
  if (found < 0 || found + key.length + 4 > head.length) return undefined
  const at = found + key.length
  return head.readFloatLE(at) > 0 ? at : undefined
}
