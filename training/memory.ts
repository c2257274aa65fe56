import { HoneError } from '../src/errors.ts'
import type { MemoryPlan } from '../src/ports/learning.ts'
import type { Fit, Machine, Method } from '../src/ports/trainer.ts'
import type { ModelShape } from './model-shape.ts'
import type { Hyper } from './recipes.ts'

/** Megabytes by what they are for. A LoRA is trained, or every weight: its gradient and Adam's moments count then. */
export type Need = Readonly<
  Record<'libraries' | 'weights' | 'LoRA' | 'gradients and Adam' | 'activations' | 'logits', number>
>

/** What a run's memory depends on beside the model. */
export interface Load {
  readonly method: Method
  readonly hyper: Pick<Hyper, 'rank'>
  readonly fit: Fit
  /** Tokens of the longest sequence. */
  readonly tokens: number
  readonly device: Machine['device']
}

/** Sequences in memory at once for each row of a micro-batch; KTO also passes each prompt with its neighbour's reply. */
const sequences: Readonly<Record<Method, number>> = {
  ...{ dpo: 2, kto: 2, sft: 1, explain: 1, rl: 1, full: 1 },
  'soft-prompt': 1,
}
/** Methods that add the loss on the base's own answers, one replay row a row, to each step. */
const replays: ReadonlySet<Method> = new Set<Method>(['dpo', 'kto', 'rl'])
/** Python, PyTorch, Transformers and TRL: resident memory on the CPU; CUDA's context and kernels on a GPU. */
const libraries = { cpu: 490, cuda: 900 } as const
/** A trained number: itself, its gradient and Adam's two moments, four bytes each. */
const trainedBytes = 16
/** Full fine-tuning on a GPU keeps the weights in float32, and a copy in bf16 that it computes with. */
const wholeBytes = { cpu: 4, cuda: 6 } as const
/**
 * Values held at the peak, a layer and token: so many times the hidden and the intermediate size. What the backward pass
 * needs of a Llama layer with LoRA is about half of it; the rest was measured (docs/training.md) and is its own work.
 */
const kept = { hidden: 24, intermediate: 10 } as const
/** Copies of the logits at the peak: as computed, in float32, and their gradient. */
const logitCopies = 3
/** Logits that a step of replay compares with the base's at most (`COMPARED` of replay.py), in as many copies. */
const compared = 64e6
/** What may be used of what is free: the rest is for what else runs, and for what the estimate misses. */
const usable = 0.9

/**
 * The memory of a run at its peak: of one GPU, or of all processes on the CPU. The reference model costs none: it is the
 * base with the LoRA switched off, which runs when nothing of the step is kept yet.
 *
 * @example needOf(shape, { method: 'dpo', hyper, fit: { microBatch: 8, checkpointing: false }, tokens: 600, device: 'cpu' })
 */
export function needOf(shape: ModelShape, { method, hyper, fit, tokens, device }: Load): Need {
  const bytes = device === 'cpu' ? 4 : 2
  const models = method === 'rl' ? 2 : 1
  const rows = fit.microBatch * (sequences[method] + (replays.has(method) ? 1 : 0))
  const layer = kept.hidden * shape.hidden + kept.intermediate * shape.intermediate
  // Recomputing keeps each layer's input, and one layer's values while it is gone through.
  const values = fit.checkpointing ? layer + shape.layers * shape.hidden : layer * shape.layers
  const logits = fit.microBatch * tokens * shape.vocabulary
  const held = replays.has(method) ? Math.min(compared, logits) : 0
  const full = method === 'full'
  // Sharded, the weights under a LoRA are of the LoRA's type.
  const weightBytes = full ? wholeBytes[device] : fit.sharded ? 4 : bytes
  // Processes on the CPU share its memory, and each has all of the model; sharded over GPUs, each has a part.
  const { processes = 1, sharded } = fit
  const every = device === 'cpu' ? processes : 1
  const mb = (count: number, times: number) => (times * count) / 1e6
  const ofModel = (count: number) => mb(count, sharded ? every / processes : every)
  return {
    libraries: every * libraries[device],
    weights: ofModel(models * shape.parameters * weightBytes),
    LoRA: full ? 0 : ofModel(models * shape.loraPerRank * hyper.rank * trainedBytes),
    'gradients and Adam': full ? ofModel(shape.parameters * (trainedBytes - 4)) : 0,
    activations: mb(rows * tokens * values * bytes, every),
    logits: mb((logits + held) * logitCopies * 4, every),
  }
}

/** KTO compares each row with its neighbour. */
const leastRows = (method: Method): number => (method === 'kto' ? 2 : 1)

/** Half the micro-batch, then recomputing; undefined when there is nothing left to do without. */
export function stepDown(method: Method, fit: Fit): { fit: Fit; change: string } | undefined {
  const { microBatch, checkpointing } = fit
  const half = microBatch / 2
  if (Number.isInteger(half) && half >= leastRows(method)) {
    return { fit: { ...fit, microBatch: half }, change: `${half} rows at once instead of ${microBatch}` }
  }
  if (checkpointing) return undefined
  return { fit: { ...fit, checkpointing: true }, change: 'activations computed twice instead of kept' }
}

/** The lengths of the rows in tokens, as far as is known: the longest, and the longest that can't be cut. */
export interface Lengths {
  readonly longest: number
  readonly uncut: number
}

/** What a run needs and how it fits, or why nothing does. */
export interface Fitted {
  readonly plan: MemoryPlan
  readonly refusal?: string
}

/**
 * Fits a run into the machine: rows at once are halved (gradients add up to the same step), then activations are
 * recomputed, then GPUs share the weights or the CPU is left to one process, then long conversations are cut to fewer of
 * their oldest messages; whatever comes first is enough.
 *
 * @example fitTo({ device: 'cpu', freeMb: 2000 }, shape, { method: 'dpo', hyper, lengths })
 */
export function fitTo(
  machine: Machine,
  shape: ModelShape,
  asked: { readonly method: Method; readonly hyper: Hyper; readonly lengths: Lengths },
): Fitted {
  const { method, hyper, lengths } = asked
  const { device, freeMb } = machine
  const changes: string[] = []
  const processes = sharing(machine.processes ?? 1, hyper.batchSize, leastRows(method))
  let fit: Fit = {
    microBatch: hyper.batchSize / processes,
    checkpointing: device === 'cuda',
    ...(processes > 1 && { processes }),
  }
  let maxLength = hyper.maxLength
  const need = () => needOf(shape, { method, hyper, fit, device, tokens: Math.min(maxLength, lengths.longest) })
  const fits = () => sum(need()) <= freeMb * usable
  while (!fits()) {
    const less = stepDown(method, fit)
    const shorter = Math.max(Math.ceil(Math.min(maxLength, lengths.longest) / 2), lengths.uncut, shortest)
    if (less) fit = less.fit
    else if (fit.processes && !fit.sharded) fit = joined(fit, device)
    else if (shorter < Math.min(maxLength, lengths.longest)) maxLength = shorter
    else break
  }
  const atOnce = fit.microBatch * (fit.processes ?? 1)
  if (processes > 1 && !fit.processes) changes.push(`one process instead of ${processes}`)
  if (fit.sharded) changes.push(`the weights are spread over ${processes} GPUs`)
  if (atOnce < hyper.batchSize) changes.push(`${atOnce} rows at once instead of ${hyper.batchSize}`)
  if (fit.checkpointing && device === 'cpu') changes.push('activations computed twice instead of kept')
  if (maxLength < hyper.maxLength)
    changes.push(`conversations cut to ${maxLength} tokens instead of ${hyper.maxLength}`)
  const used = Object.entries(need()).filter(([, mb]) => mb > 0)
  const parts = Object.fromEntries(used.map(([name, mb]) => [name, Math.round(mb)]))
  const needMb = Math.round(sum(need()))
  const facts = { device, freeMb: Math.round(freeMb), needMb, parts, ...fit, maxLength, changes }
  const plan = { ...facts, summary: summaryOf(facts) }
  return fits() ? { plan } : { plan, refusal: refusalOf(plan) }
}

/** The most processes, of those asked for, that share a step's rows evenly. */
function sharing(asked: number, batch: number, least: number): number {
  let count = Math.max(1, Math.min(asked, Math.floor(batch / least)))
  while (batch % count !== 0) count--
  return count
}

/** What is done when no process can have all of the model. */
function joined(fit: Fit, device: Machine['device']): Fit {
  if (device === 'cuda') return { ...fit, sharded: true }
  const { processes: _, ...alone } = fit
  return alone
}

function summaryOf({ device, freeMb, needMb, parts, changes, processes }: Omit<MemoryPlan, 'summary'>): string {
  const list = Object.entries(parts).map(([name, mb]) => `${name} ${mb}`)
  const several = processes ? ` of ${device === 'cpu' ? `${processes} processes` : `each of ${processes} GPUs`}` : ''
  const what = device === 'cpu' || processes ? `Memory${several}` : "The GPU's memory"
  const line = `${what}: about ${needMb} of ${freeMb} MB free (${list.join(', ')}).`
  return changes.length > 0 ? `${line} Changed to fit: ${changes.join('; ')}.` : line
}

/** Shorter than this, no prompt with a passage is left. */
const shortest = 128

function refusalOf({ needMb, freeMb, parts, device }: MemoryPlan): string {
  const [most] = Object.entries(parts).toSorted(([, a], [, b]) => b - a)
  if (!most) throw new HoneError('CONFIG', 'A run without memory needs no plan.')
  const [where, todo] =
    device === 'cpu'
      ? ['this machine has', 'Free some memory, or train a smaller model']
      : ['the GPU has', 'Stop what else uses the GPU, or train a smaller model']
  return (
    `The run does not fit: it needs about ${needMb} MB even at its smallest (${most[1]} MB for ${most[0]}), and ${where} ` +
    `${freeMb} MB free. ${todo}.`
  )
}

function sum(need: Need): number {
  return Object.values(need).reduce((total, mb) => total + mb, 0)
}
