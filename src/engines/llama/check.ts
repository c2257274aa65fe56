import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { type GgufFileInfo, type GgufTensorInfo, readGgufFileInfo } from 'node-llama-cpp'
import { HoneError } from '../../errors.ts'
import type { LoraRef } from '../../ports/engine.ts'
import { decoderOf } from './floats.ts'
import { bytesOf } from './sizes.ts'

/**
 * Reads a GGUF's header.
 *
 * @throws HoneError ENGINE_MISSING when there is no such file, MODEL_FILE when it is no GGUF or cut short
 */
export async function readGguf(path: string): Promise<GgufFileInfo> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  )
  if (size === undefined) throw new HoneError('ENGINE_MISSING', `There is no model file ${path}.`)
  const info = await readGgufFileInfo(path, { sourceType: 'filesystem', logWarnings: false }).catch(
    (error: unknown) => {
      throw new HoneError('MODEL_FILE', `${path} is no whole GGUF: ${reasonOf(error)}`, { cause: error })
    },
  )
  const cut = info.tensorInfo?.find((tensor) => endOf(tensor) > size)
  if (cut) throw new HoneError('MODEL_FILE', `${path} is cut short: it is ${size} bytes long and ends in ${cut.name}.`)
  return info
}

/** Where a tensor ends in the file, at the least: one of a type that came later than this has one byte. */
function endOf({ ggmlType, dimensions, fileOffset }: GgufTensorInfo): number {
  const count = dimensions.reduce<number>((product, length) => product * Number(length), 1)
  return Number(fileOffset) + (bytesOf(ggmlType, count) ?? 1)
}

/** @throws HoneError MODEL_FILE, ENGINE_MISSING */
export async function checkModel(path: string): Promise<void> {
  const { general } = (await readGguf(path)).metadata
  if ((general as { type?: string }).type === 'adapter') {
    throw new HoneError('MODEL_FILE', `${path} is a LoRA, not a model.`)
  }
}

/**
 * Refuses a LoRA that llama.cpp would crash on, or take in silence and get wrong.
 *
 * @throws HoneError LORA_MISMATCH when it isn't the file of the version or doesn't fit the base; MODEL_FILE when broken
 */
export async function checkLora(lora: LoraRef, base: GgufFileInfo): Promise<void> {
  const info = await readGguf(lora.path)
  const refuse = (why: string) => new HoneError('LORA_MISMATCH', `The LoRA ${lora.path} ${why}`)
  if ((await sha256(lora.path)) !== lora.sha256)
    throw refuse('is not the file that was published: its SHA-256 differs.')
  const { general, adapter } = info.metadata as unknown as LoraMetadata
  if (general.type !== 'adapter' || adapter?.type !== 'lora') throw refuse('is no LoRA.')
  const { architecture } = base.metadata.general
  if (general.architecture !== architecture)
    throw refuse(`is for ${general.architecture}; the base is ${architecture}.`)
  // Without alpha llama.cpp scales by 1 and says nothing.
  if (!((adapter.lora?.alpha ?? 0) > 0)) throw refuse('does not say its alpha.')
  const why = misfit(info.tensorInfo ?? [], base.fullTensorInfo ?? base.tensorInfo ?? [])
  if (why) throw refuse(why)
  await checkValues(lora.path, info.tensorInfo ?? [])
}

interface LoraMetadata {
  readonly general: { readonly type?: string; readonly architecture: string }
  readonly adapter?: { readonly type?: string; readonly lora?: { readonly alpha?: number } }
}

/** Why the LoRA's tensors don't fit the base's; the rules are those of llama.cpp's `llama-adapter.cpp`. */
function misfit(parts: readonly GgufTensorInfo[], weights: readonly GgufTensorInfo[]): string | undefined {
  const shapes = new Map(weights.map((weight) => [weight.name, weight.dimensions.map(Number)]))
  const pairs = Map.groupBy(parts, (part) => part.name.replace(/\.lora_[ab]$/, ''))
  if (pairs.size === 0) return 'holds no tensors.'
  for (const [name, pair] of pairs) {
    const shape = shapes.get(name)
    const [a, b] = ['a', 'b'].map((side) =>
      pair.find((part) => part.name === `${name}.lora_${side}`)?.dimensions.map(Number),
    )
    if (!shape) return `changes ${name}, which the base doesn’t have.`
    if (!a || !b || pair.length !== 2) return `has only half of ${name}.`
    const fits =
      name === 'token_embd.weight'
        ? shape[0] === b[1] && shape[1] === a[1] && a[0] === b[0]
        : shape[0] === a[0] && shape[1] === b[1] && a[1] === b[0]
    if (!fits) return `is for another base: ${name} is ${shape.join('×')} there.`
  }
  return undefined
}

async function checkValues(path: string, tensors: readonly GgufTensorInfo[]): Promise<void> {
  await using file = await open(path)
  for (const tensor of tensors) {
    const count = tensor.dimensions.reduce<number>((product, length) => product * Number(length), 1)
    const { decode, bytes } = decoderOf(tensor.ggmlType, tensor.name)
    const buffer = Buffer.alloc(bytes(count))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, Number(tensor.fileOffset))
    if (bytesRead < buffer.length) throw new HoneError('MODEL_FILE', `${path} is cut short.`)
    if (decode(buffer, count).some((value) => !Number.isFinite(value))) {
      throw new HoneError('MODEL_FILE', `The LoRA ${path} holds values that are no numbers, in ${tensor.name}.`)
    }
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
