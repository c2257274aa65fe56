import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { Learning, PairTrace } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import { readDataset } from './dataset.ts'
import { removeFolder } from './files.ts'
import type { Registry } from './registry.ts'

/** What of a person's feedback lay outside the store, and what becomes of the versions that learned from it. */
export interface Forgotten {
  /** Frozen datasets that held a row of theirs, or words of theirs in somebody else's row; removed. */
  readonly datasets: number
  /** Versions that were trained on such a row; marked. */
  readonly versions: readonly string[]
  /** The run from the base that replaces them: its job, or why there is none. */
  readonly retraining: { readonly job: string } | { readonly none: string }
}

/** What forgetting works on. */
export interface ForgetOptions {
  readonly store: Store
  readonly registry: Registry
  readonly dataDir: string
  /** Absent where no run can be started, as in a command that ends soon. */
  readonly learning?: Pick<Learning, 'cancel' | 'start'>
}

/**
 * Takes a person out of what training keeps. Call it after `store.feedback.forget`; calling it again does no harm. A run
 * that is on is cancelled, since it may hold their rows. Datasets with their rows or words are removed, versions that
 * saw them are marked and name them no more, and a run from the base is started. A marked version serves until that run
 * has a better one or a person rolls it back.
 *
 * @example const { versions } = await forgetInTraining('web:anna', { store, registry, dataDir, learning })
 */
export async function forgetInTraining(person: string, options: ForgetOptions): Promise<Forgotten> {
  const { store, registry, dataDir, learning } = options
  const cancelled = (await learning?.cancel('forget')) ?? false
  const theirs = ofPerson(person, store)
  const removed = await removeDatasets(join(dataDir, 'datasets'), theirs)
  const versions: string[] = []
  for (const { manifest } of await registry.list()) {
    if (!removed.has(manifest.dataset.hash) && !(await theirs(manifest.pairs))) continue
    await registry.markForgotten(manifest.id, person)
    versions.push(manifest.id)
  }
  const needed = cancelled || versions.length > 0
  const retraining = needed ? await retrain(learning) : { none: 'No version had learned from it.' }
  return { datasets: removed.size, versions, retraining }
}

type Trace = Pick<PairTrace, 'people' | 'chosen' | 'rejected'>

/** True for rows that the person judged or asked for, and for those whose replies went with what they wrote. */
function ofPerson(person: string, store: Store): (traces: readonly Trace[]) => Promise<boolean> {
  const known = new Map<string, boolean>()
  const gone = async (turn: string) => {
    const found = known.get(turn) ?? (await store.turns.get(turn)) === undefined
    known.set(turn, found)
    return found
  }
  return async function theirs(traces) {
    if (traces.some(({ people }) => people.includes(person))) return true
    // Both sides answer one prompt, so one of them tells; the chosen one may be a correction, which is no turn.
    for (const { chosen, rejected } of traces) if (await gone(rejected || chosen)) return true
    return false
  }
}

async function removeDatasets(
  folder: string,
  theirs: (traces: readonly Trace[]) => Promise<boolean>,
): Promise<ReadonlySet<string>> {
  const removed = new Set<string>()
  for (const name of await readdir(folder).catch(() => [])) {
    const dataset = await readDataset(join(folder, name)).catch(() => undefined)
    if (dataset && !(await theirs([...dataset.manifest.traces, ...(dataset.manifest.replayed ?? [])]))) continue
    await removeFolder(join(folder, name))
    if (dataset) removed.add(dataset.manifest.hash)
  }
  return removed
}

async function retrain(learning: ForgetOptions['learning']): Promise<Forgotten['retraining']> {
  if (!learning) return { none: 'Train again, so that a version without it can serve.' }
  try {
    return { job: (await learning.start('forget')).id }
  } catch (error) {
    if (!(error instanceof HoneError)) throw error
    return { none: error.message }
  }
}
