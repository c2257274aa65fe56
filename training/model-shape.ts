import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { asHoneError, HoneError } from '../src/errors.ts'

/** The sizes of a model that time and memory depend on. */
export interface ModelShape {
  readonly parameters: number
  /** Numbers that a LoRA of rank 1 on all linear layers but the output has. */
  readonly loraPerRank: number
  readonly layers: number
  readonly hidden: number
  readonly intermediate: number
  readonly vocabulary: number
}

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[]

const config = z.object({
  num_hidden_layers: z.number(),
  hidden_size: z.number(),
  intermediate_size: z.number(),
  vocab_size: z.number(),
})
/** Some models keep the sizes of their text part apart. */
const configs = z.union([config, z.object({ text_config: config }).transform((whole) => whole.text_config)])

/**
 * The shape of a Hugging Face folder, from its `config.json` and the headers of its safetensors files; no weight is read.
 * Format: 8 bytes of length, little endian, then JSON with each tensor's shape
 * (https://huggingface.co/docs/safetensors, "Format").
 *
 * @throws HoneError MODEL_FILE when the folder has no readable safetensors or its config lacks a size.
 * @example (await modelShape('models/Qwen3-0.6B')).parameters
 */
export async function modelShape(folder: string): Promise<ModelShape> {
  try {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'))
    if (files.length === 0) throw new HoneError('MODEL_FILE', `${folder} has no safetensors file to train from.`)
    const shapes = (await Promise.all(files.map((name) => tensorsOf(join(folder, name))))).flat()
    const sizes = configs.parse(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')))
    return {
      parameters: shapes.reduce((sum, [, shape]) => sum + shape.reduce((product, side) => product * side, 1), 0),
      loraPerRank: shapes.reduce((sum, [name, shape]) => sum + (isLinear(name, shape) ? sides(shape) : 0), 0),
      layers: sizes.num_hidden_layers,
      hidden: sizes.hidden_size,
      intermediate: sizes.intermediate_size,
      vocabulary: sizes.vocab_size,
    }
  } catch (error) {
    throw asHoneError(error, 'MODEL_FILE', `The model in ${folder} can't be read`)
  }
}

function isLinear(name: string, shape: readonly number[]): boolean {
  return shape.length === 2 && !/embed|lm_head/.test(name)
}

function sides(shape: readonly number[]): number {
  return shape.reduce((sum, side) => sum + side, 0)
}

async function tensorsOf(path: string): Promise<Shapes> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const length = Buffer.alloc(8)
  await file.read(length, 0, 8, 0)
  const bytes = Number(length.readBigUInt64LE())
  if (bytes > size) throw new HoneError('MODEL_FILE', `${path} is cut short.`)
  const header = Buffer.alloc(bytes)
  await file.read(header, 0, bytes, 8)
  const tensors = JSON.parse(header.toString('utf8')) as Record<string, { readonly shape?: readonly number[] }>
  return Object.entries(tensors).flatMap(([name, { shape }]) => (Array.isArray(shape) ? [[name, shape] as const] : []))
}
