import { asHoneError, HoneError } from '../../src/errors.ts'
import type { ReplayRow } from '../dataset.ts'
import { rememberHeldOut } from '../held-out.ts'
import { quarters, stopIf } from '../measure.ts'
import { makeReplay } from '../replay.ts'
import type { RunParts, RunVoice } from '../request.ts'
import { removeOutput } from '../run.ts'
import { mean } from '../stats.ts'
import { secondsFor } from './plan.ts'
import type { Prepared } from './prepare.ts'
import type { CompareStore, RowResult } from './result.ts'
import { type Bench, measureRow } from './row.ts'
import type { Technique } from './techniques.ts'
import { trainWeights } from './weights.ts'

/** What a comparison works with. */
export interface ComparisonParts {
  readonly run: RunParts
  readonly store: CompareStore
  readonly now: () => Date
}

/** One comparison on its way. */
interface Way extends ComparisonParts {
  readonly id: string
  readonly prepared: Prepared
  readonly bench: Bench
  readonly voice: RunVoice
  /** Seconds that measuring took, row by row: what is left takes about as long. */
  readonly took: number[]
  /** The base's own answers, made when the first method is trained. */
  readonly replay: () => Promise<readonly ReplayRow[]>
}

/**
 * Measures the rows that have no result yet, each kept whole as soon as it is there. A row that fails says why and the
 * others go on; without the base there is nothing to compare with, so then all fails. Nothing of it ever serves, and no
 * weights are left.
 */
export async function runComparison(
  parts: ComparisonParts,
  id: string,
  prepared: Prepared,
  voice: RunVoice,
): Promise<void> {
  const { run, store, now } = parts
  const { signal, say } = voice
  const { selection, heldOutIn, head, open } = prepared
  await rememberHeldOut(heldOutIn, selection.heldOutKeys)
  await store.begin({ ...head, startedAt: now() })
  const bench = { ...(await prepared.bench(signal)), signal, say }
  const replay = once(() => replayFor(parts, prepared, voice))
  const way: Way = { ...parts, id, prepared, bench, voice, took: [], replay }
  const base = { id: 'v0', base: run.base }
  try {
    await run.slot.borrow(base, async (engine) => {
      for (const technique of open.filter(({ method }) => method === undefined)) {
        announce(way, technique)
        const measured = await attempt(way, technique, () => measureRow(engine, technique, bench))
        if (technique.id === 'base' && measured.failed !== undefined)
          throw new HoneError('ENGINE_FAILED', measured.failed)
      }
    })
    const methods = Map.groupBy(
      open.filter(({ method }) => method !== undefined),
      ({ method }) => method,
    )
    for (const rows of methods.values()) await trainAndMeasure(way, rows)
  } finally {
    await removeOutput(run.dataDir, id)
  }
}

/** One training, then each row that has its weights. */
async function trainAndMeasure(way: Way, rows: readonly Technique[]): Promise<void> {
  const { id, run, prepared, bench, voice } = way
  const [first] = rows
  const recipe = first?.method && prepared.recipes.get(first.method)
  if (!first || !recipe) return
  announce(way, first)
  const left = new Set(rows)
  try {
    const input = { id, recipe, budget: prepared.head.budget, replay: await way.replay() }
    const { version, ...cost } = await trainWeights(run, input, voice)
    await run.slot.borrow(version, async (engine) => {
      for (const technique of rows) {
        if (technique !== first) announce(way, technique)
        await attempt(way, technique, async () => ({ ...(await measureRow(engine, technique, bench)), ...cost }))
        left.delete(technique)
      }
    })
  } catch (error) {
    for (const technique of left) await attempt(way, technique, () => Promise.reject(error))
  } finally {
    await removeOutput(run.dataDir, id)
  }
}

/** Measures and keeps a row, or keeps why it can't be measured. A row that was cancelled is none. */
async function attempt(
  { store, prepared, voice, took }: Way,
  { id, label }: Technique,
  work: () => Promise<RowResult>,
): Promise<RowResult> {
  const result = await work().catch((error: unknown): RowResult => {
    stopIf(voice.signal)
    const { message } = asHoneError(error, 'ENGINE_FAILED', `${label} could not be measured`)
    voice.say(`${label}: ${message}`)
    return { ...nothing, row: id, failed: message }
  })
  if (result.failed === undefined) took.push(result.measureSeconds)
  await store.put(prepared.head.hash, result)
  return result
}

const nothing = {
  leans: [],
  values: [],
  prefers: [],
  right: [],
  declines: [],
  perplexity: Number.NaN,
  tokens: Number.NaN,
  trainSeconds: 0,
  measureSeconds: 0,
} satisfies Partial<RowResult>

/** Which row comes next, of how many, and how long all that is left may take. */
function announce({ prepared, voice, took }: Way, technique: Technique): void {
  const { open, head, seconds } = prepared
  const at = open.indexOf(technique)
  const each = took.length > 0 ? mean(took) : undefined
  const left = Math.ceil(secondsFor(open.slice(at), head.budget, seconds, each) / 60)
  voice.say(`${technique.label} (${at + 1} of ${open.length}): ${technique.what}. About ${left} min left.`)
}

function replayFor({ run }: ComparisonParts, { selection, head }: Prepared, { say, signal }: RunVoice) {
  say('Asking the base model for its own answers, so that training keeps them.')
  const onProgress = quarters((done) => say(`The base model's own answers: ${done} %.`))
  const base = { id: 'v0', base: run.base }
  return makeReplay({ slot: run.slot, base, selection, seed: head.budget.seed, signal, onProgress })
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
