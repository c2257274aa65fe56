import { mkdir, rename } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { HoneError } from '../../src/errors.ts'
import type { CompareBudget } from '../../src/ports/compare.ts'
import type { Version } from '../../src/ports/engine.ts'
import type { Fit, TrainEvent } from '../../src/ports/trainer.ts'
import { freeze, type ReplayRow } from '../dataset.ts'
import type { Hyper } from '../recipes.ts'
import { weightsRef } from '../registry.ts'
import type { RunParts, RunVoice } from '../request.ts'
import { explain, jobOf, loraOf, train } from '../run.ts'
import type { Selection } from '../select.ts'
import { takeUnfinished } from '../unfinished.ts'
import { secondsSince } from './row.ts'

/** What one method is trained on and with. */
export interface Recipe {
  readonly selection: Selection
  readonly hyper: Hyper
  readonly fit: Fit
}

/** Weights that were trained to be measured and thrown away: no version of the registry, and nobody is served by them. */
export interface Weights {
  readonly version: Version
  readonly trainSeconds: number
  readonly memoryMb?: number
}

export interface WeightsInput {
  /** The job's id. */
  readonly id: string
  readonly recipe: Recipe
  readonly budget: CompareBudget
  readonly replay: readonly ReplayRow[]
}

/**
 * Trains one method within the budget. A kill costs what came after the last checkpoint, as in any run.
 *
 * @throws HoneError TRAINER_FAILED, also when the minutes are over; CANCELLED.
 */
export async function trainWeights(parts: RunParts, input: WeightsInput, voice: RunVoice): Promise<Weights> {
  const { recipe, budget, replay } = input
  const { selection } = recipe
  const { method } = selection
  const work = join(parts.dataDir, 'jobs', input.id)
  const started = performance.now()
  const watched = within(budget, voice)
  try {
    const explained =
      method === 'explain' ? { explained: await explain(parts, { selection, seed: budget.seed }, watched.voice) } : {}
    const dataset = await freeze(join(parts.dataDir, 'datasets'), {
      selection,
      replay,
      seed: budget.seed,
      ...explained,
    })
    await takeUnfinished(parts.dataDir, join(work, 'output'))
    const job = jobOf(parts, { id: input.id, ...recipe, seed: budget.seed }, { dataset, work })
    const done = loraOf(await train(parts, job, watched.voice))
    // llama.cpp keeps a LoRA by its path: each has its own.
    const place = join(work, 'compared', method)
    await mkdir(join(work, 'compared'), { recursive: true })
    await rename(job.output, place)
    const id = `compared-${method}`
    const weights = weightsRef(id, join(place, relative(job.output, done.gguf)), done)
    const version = { id, base: parts.base, ...weights }
    const { memoryMb } = watched.seen()
    return { version, trainSeconds: secondsSince(started), ...(memoryMb === undefined ? {} : { memoryMb }) }
  } catch (error) {
    throw watched.over() ? tooLong(budget, watched.seen()) : error
  }
}

type Step = Extract<TrainEvent, { type: 'step' }>

/** A voice that falls silent when the minutes are over, and what it heard. */
function within({ minutes }: CompareBudget, voice: RunVoice) {
  const limit = AbortSignal.timeout(minutes * 60_000)
  let last: Partial<Step> = {}
  const heard: RunVoice = {
    ...voice,
    signal: AbortSignal.any([voice.signal, limit]),
    step(event) {
      if (event.type === 'step') last = event
      voice.step(event)
    },
  }
  return { voice: heard, seen: () => last, over: () => limit.aborted && !voice.signal.aborted }
}

function tooLong({ minutes }: CompareBudget, { step, of }: Partial<Step>): HoneError {
  const far = step === undefined ? 'before its first step' : `at step ${step} of ${of}`
  return new HoneError('TRAINER_FAILED', `Its ${minutes} minutes were over ${far}; give it more with --minutes.`)
}
