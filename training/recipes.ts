import { HoneError } from '../src/errors.ts'
import type { TrainOptions } from '../src/ports/learning.ts'
import type { TrainJob } from '../src/ports/trainer.ts'

/** Settings of a run, as `job.json` carries them. */
export type Hyper = TrainJob['hyper']

/**
 * One row a size class. A small model and few steps need far higher rates than papers on large models give: LoRA
 * wants about ten times the rate of full fine-tuning, more when there are few steps. The first row was chosen on the
 * starter model, mostly on handbooks that no figure is reported on: at 1e-3 fresh answers follow a new rule after 8
 * epochs but not after 5; at 1.5e-3 right answers are lost. A LoRA on attention as well learns the same form, but the
 * model reads worse outside the layout it was trained in, for its attention is what finds the answer. The others are
 * the usual range for LoRA on a real model and a starting point.
 *
 * The SFT term weighs three times as much there: with highlights in its prompts the starter learns a form within few steps, and then
 * goes on to garble values. Answers that name the source first: with a weight of 1 and of 3, 90 and 100 % of fresh replies follow, 84 and
 * 91 % are right. Bullets, one rater's votes: golden questions fell from 93 to 82 and to 86 %; on other votes to 75 % with 3 as well.
 *
 * About a third of what was learned is kept, as weights between a base and its fine-tuned model lose less of what the base can do
 * (WiSE-FT, https://arxiv.org/abs/2109.01903; for preferences https://arxiv.org/abs/2309.06256). Of everyday pages written by hand, put
 * to the model in two layouts with the sentence that shares most words as highlight, at a strength of 0.5, 0.4 and 0.3, votes for bullets
 * twice and once for answers that name their source: replies in the form 86, 86, 85; 87, 87, 85 and 86, 86, 84 of 88; questions about what
 * the pages speak of and don't tell declined 45, 52, 58; 52, 57, 61 and 55, 58, 62 of 88, by
 * the base 63. Half the rate and half the epochs lost the form instead, before refusals were pairs on both sides.
 */
const recipes: readonly { readonly parameters: number; readonly hyper: Hyper }[] = [
  {
    parameters: 50e6,
    hyper: {
      learningRate: 1e-3,
      epochs: 8,
      batchSize: 8,
      beta: 0.1,
      sftWeight: 3,
      labelSmoothing: 0,
      strength: 0.35,
      rank: 16,
      alpha: 32,
      targets: 'mlp',
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
      labelSmoothing: 0,
      strength: 1,
      rank: 16,
      alpha: 32,
      targets: 'all-linear',
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
      labelSmoothing: 0,
      strength: 1,
      rank: 16,
      alpha: 32,
      targets: 'all-linear',
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
      labelSmoothing: 0,
      strength: 1,
      rank: 16,
      alpha: 32,
      targets: 'all-linear',
      maxLength: 2048,
    },
  },
]

/** A LoRA wants about ten times the rate of full fine-tuning ("LoRA Without Regret", Thinking Machines 2025). */
const loraOverFull = 10
/** A soft prompt is a few vectors in the embedding's space, which take far larger steps: the usual ones of PEFT's guides. */
const softPrompt = { learningRate: 3e-2, epochs: 8 } as const

/**
 * Settings for a model of this many parameters, with what the operator asked for instead of ours.
 *
 * @throws HoneError INPUT for a value that can't be meant.
 * @example hyperFor(4e9, { epochs: 1 }).learningRate // 2e-5
 */
export function hyperFor(parameters: number, options: TrainOptions = {}): Hyper {
  const found = recipes.find((recipe) => parameters <= recipe.parameters) ?? recipes.at(-1)
  if (!found) throw new HoneError('CONFIG', 'There is no recipe for this model.')
  const { learningRate, epochs, sftWeight, labelSmoothing, method } = options
  if (learningRate !== undefined && !(learningRate > 0 && learningRate <= 1)) {
    throw new HoneError('INPUT', `The learning rate is ${learningRate}; it must be above 0 and at most 1.`)
  }
  if (epochs !== undefined && !(Number.isInteger(epochs) && epochs >= 1 && epochs <= 1000)) {
    throw new HoneError('INPUT', `The number of epochs is ${epochs}; it must be a whole number from 1 to 1000.`)
  }
  if (sftWeight !== undefined && !(sftWeight >= 0 && sftWeight <= 100)) {
    throw new HoneError('INPUT', `The weight of the SFT term is ${sftWeight}; it must be from 0 to 100.`)
  }
  if (labelSmoothing !== undefined && !(labelSmoothing >= 0 && labelSmoothing < 0.5)) {
    throw new HoneError('INPUT', `The label smoothing is ${labelSmoothing}; it must be from 0 to below 0.5.`)
  }
  if (labelSmoothing && method !== undefined && method !== 'dpo' && method !== 'auto') {
    throw new HoneError('INPUT', `Label smoothing is a setting of dpo alone; ${method} has none.`)
  }
  return {
    ...found.hyper,
    ...(method === 'full' ? { learningRate: found.hyper.learningRate / loraOverFull } : {}),
    ...(method === 'soft-prompt' ? softPrompt : {}),
    // Measured for DPO alone.
    ...(method === undefined || method === 'dpo' || method === 'auto' ? {} : { strength: 1 }),
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(sftWeight === undefined ? {} : { sftWeight }),
    ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
  }
}

/**
 * Seconds that a run on a CPU would take, roughly. Training costs about 8 floating-point operations a parameter and token
 * (forward, backward and reference pass); two cores did about 8e10 a second with the starter model. A GPU is faster by far.
 */
export function guessSeconds(
  parameters: number,
  hyper: Hyper,
  rows: { readonly tokens: number; readonly base: number },
): number {
  const fixed = 45 + rows.base * 0.1
  return Math.round(fixed + (8 * parameters * rows.tokens * hyper.epochs) / 8e10)
}
