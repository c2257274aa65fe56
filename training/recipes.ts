import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { TrainOptions } from '../src/ports/learning.ts'
import type { TrainJob } from '../src/ports/trainer.ts'

/** Settings of a run, as `job.json` carries them. */
export type Hyper = TrainJob['hyper']

/**
 * One row a size class. A small model and few steps need far higher rates than papers on large models give: LoRA
 * wants about ten times the rate of full fine-tuning, more when there are few steps. The first row was chosen on
 * the starter model: at 1e-3 the fresh answers follow late, at 2e-3 and 10 epochs perplexity on other text rises by a
 * quarter. The others are the usual range for LoRA on a real model and a starting point.
 */
const recipes: readonly { readonly parameters: number; readonly hyper: Hyper }[] = [
  {
    parameters: 50e6,
    hyper: {
      learningRate: 1.5e-3,
      epochs: 8,
      batchSize: 8,
      beta: 0.1,
      sftWeight: 1,
      rank: 16,
      alpha: 32,
      maxLength: 768,
    },
  },
  {
    parameters: 1.5e9,
    hyper: {
      learningRate: 5e-5,
      epochs: 2,
      batchSize: 8,
      beta: 0.1,
      sftWeight: 0.5,
      rank: 16,
      alpha: 32,
      maxLength: 1536,
    },
  },
  {
    parameters: 5e9,
    hyper: {
      learningRate: 2e-5,
      epochs: 2,
      batchSize: 8,
      beta: 0.1,
      sftWeight: 0.5,
      rank: 16,
      alpha: 32,
      maxLength: 2048,
    },
  },
  {
    parameters: Number.POSITIVE_INFINITY,
    hyper: {
      learningRate: 1e-5,
      epochs: 1,
      batchSize: 8,
      beta: 0.1,
      sftWeight: 0.3,
      rank: 16,
      alpha: 32,
      maxLength: 2048,
    },
  },
]

/**
 * Settings for a model of this many parameters, with what the operator asked for instead of ours.
 *
 * @throws HoneError INPUT for a value that can't be meant.
 * @example hyperFor(4e9, { epochs: 1 }).learningRate // 2e-5
 */
export function hyperFor(parameters: number, options: TrainOptions = {}): Hyper {
  const found = recipes.find((recipe) => parameters <= recipe.parameters) ?? recipes.at(-1)
  if (!found) throw new HoneError('CONFIG', 'There is no recipe for this model.')
  const { learningRate, epochs, sftWeight } = options
  if (learningRate !== undefined && !(learningRate > 0 && learningRate <= 1)) {
    throw new HoneError('INPUT', `The learning rate is ${learningRate}; it must be above 0 and at most 1.`)
  }
  if (epochs !== undefined && !(Number.isInteger(epochs) && epochs >= 1 && epochs <= 1000)) {
    throw new HoneError('INPUT', `The number of epochs is ${epochs}; it must be a whole number from 1 to 1000.`)
  }
  if (sftWeight !== undefined && !(sftWeight >= 0 && sftWeight <= 100)) {
    throw new HoneError('INPUT', `The weight of the SFT term is ${sftWeight}; it must be from 0 to 100.`)
  }
  return {
    ...found.hyper,
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(sftWeight === undefined ? {} : { sftWeight }),
  }
}

/**
 * Seconds and megabytes that a run on a CPU would take, roughly. Training costs about 8 floating-point operations a
 * parameter and token (forward, backward and reference pass); two cores did about 8e10 a second with the starter
 * model. A GPU is faster by far and is not known before the run.
 */
export function guess(
  parameters: number,
  hyper: Hyper,
  rows: { readonly tokens: number; readonly base: number },
): {
  readonly seconds: number
  readonly memoryMb: number
} {
  const fixed = 45 + rows.base * 0.1
  const seconds = fixed + (8 * parameters * rows.tokens * hyper.epochs) / 8e10
  const weights = (parameters * 4) / 1e6
  const activations = (hyper.batchSize * 2 * hyper.maxLength * Math.sqrt(parameters) * 40) / 1e6
  return { seconds: Math.round(seconds), memoryMb: Math.round(700 + weights * 1.2 + activations) }
}

/**
 * Parameters of a Hugging Face folder, counted from the headers of its safetensors files; no weight is read.
 * Format: 8 bytes of length, little endian, then JSON with each tensor's shape
 * (https://huggingface.co/docs/safetensors, "Format").
 *
 * @throws HoneError MODEL_FILE when the folder has no readable safetensors.
 */
export async function parametersOf(folder: string): Promise<number> {
  try {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'))
    if (files.length === 0) throw new HoneError('MODEL_FILE', `${folder} has no safetensors file to train from.`)
    const counts = await Promise.all(files.map((name) => countTensors(join(folder, name))))
    return counts.reduce((sum, count) => sum + count, 0)
  } catch (error) {
    throw asHoneError(error, 'MODEL_FILE', `The model in ${folder} can't be read`)
  }
}

async function countTensors(path: string): Promise<number> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const length = Buffer.alloc(8)
  await file.read(length, 0, 8, 0)
  const bytes = Number(length.readBigUInt64LE())
  if (bytes > size) throw new HoneError('MODEL_FILE', `${path} is cut short.`)
  const header = Buffer.alloc(bytes)
  await file.read(header, 0, bytes, 8)
  const tensors = JSON.parse(header.toString('utf8')) as Record<string, { readonly shape?: readonly number[] }>
  return Object.values(tensors)
    .filter(({ shape }) => Array.isArray(shape))
    .reduce((sum, { shape }) => sum + (shape ?? []).reduce((product, side) => product * side, 1), 0)
}
