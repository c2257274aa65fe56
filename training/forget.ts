import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { Learning, PairTrace } from '../src/ports/learning.ts'
import type { Job, Store } from '../src/ports/store.ts'
import { type DatasetManifest, readDataset } from './dataset.ts'
import { removeFolder } from './files.ts'
import { canaryOf, learnedFromForgotten, rows, whys } from './live/log.ts'
import type { Registry } from './registry.ts'
import { toItsEnd } from './schedule.ts'
import { forgottenOf, untaught } from './serving.ts'
import { forgetSoftPrompts } from './soft-prompt.ts'
import type { Whose } from './tenants.ts'
import { forgetReports } from './tune/report.ts'
import { dropStates } from './tune/state.ts'
import { dropUnfinished } from './unfinished.ts'

/** What of a person's feedback lay outside the store, and what becomes of the versions that learned from it. */
export interface Forgotten {
  /** Frozen datasets that held a row of theirs, or words of theirs in somebody else's row; removed. */
  readonly datasets: number
  /** Versions that were trained on such a row; marked. */
  readonly versions: readonly string[]
  /** What serves now in place of one of those; absent where none of them served. */
  readonly serving?: string
  /** The run from the base that replaces them: its job, or why there is none. */
  readonly retraining: { readonly job: string } | { readonly none: string }
}

/** What forgetting works on. */
export interface ForgetOptions {
  readonly store: Store
  readonly registry: Registry
  readonly dataDir: string
  /** Tenants learn apart. */
  readonly apart?: boolean
  /** Absent where no run can be started, as in a command that ends soon. */
  readonly learning?: Pick<Learning, 'cancel' | 'start' | 'promote' | 'rollback' | 'watch' | 'tenants'>
}

/**
 * Takes a person out of what training keeps. Call it after `store.feedback.forget`; calling it again does no harm. A run
 * that is on is cancelled, since it may hold their rows. Datasets with their rows or words are removed, versions that
 * saw them are marked and name them no more; a version that is a model of its own loses its files. Where one of those served, the newest good version that never saw them
 * serves at once, the bare base if there is none: what somebody taught must not speak on after they are forgotten. Then a
 * run from the base is started, for each tenant where that was so. Versions of others stay as they are.
 *
 * @example const { versions } = await forgetInTraining('web:anna', { store, registry, dataDir, learning })
 */
export async function forgetInTraining(person: string, options: ForgetOptions): Promise<Forgotten> {
  const { store, registry, dataDir, learning } = options
  const [last] = await store.jobs.list(1)
  // A comparison or a search that ends here would have made no version, so nothing takes its place.
  const makes = last?.detail.compare === undefined && last?.detail.tune === undefined
  const cancelled = ((await learning?.cancel('forget')) ?? false) && makes
  await dropUnfinished(dataDir)
  await dropStates(dataDir)
  await forgetReports(dataDir, person)
  const theirs = ofPerson(person, store)
  const profiles = new Set(await store.profiles.forgotten())
  const removed = await removeDatasets(
    join(dataDir, 'datasets'),
    async (manifest) =>
      // A prompt that was found with their feedback may have stood before everybody's questions.
      manifest.profiles.some((version) => profiles.has(version)) ||
      theirs([...manifest.traces, ...(manifest.replayed ?? [])]),
  )
  await forgetSoftPrompts(dataDir)
  const versions: string[] = []
  const tenants = new Set<string | undefined>(cancelled ? [tenantOf(last)] : [])
  for (const { manifest } of await registry.list()) {
    if (!removed.has(manifest.dataset.hash) && !(await theirs(manifest.pairs))) continue
    await registry.markForgotten(manifest.id, person)
    versions.push(manifest.id)
    tenants.add(manifest.tenant)
  }
  let serving: string | undefined
  for (const tenant of ['', ...(await store.serving.tenants())]) serving = (await stepBack(tenant, options)) ?? serving
  await endCanary(options)
  // What they taught is in every weight of these.
  for (const version of versions) await registry.prune(version)
  const retraining =
    tenants.size > 0 ? await retrain([...tenants], learning) : { none: 'No version had learned from it.' }
  return { datasets: removed.size, versions, ...(serving ? { serving } : {}), retraining }
}

/**
 * Puts another version into service where the one that serves is marked; answers which. Asks the registry and not this
 * call's own marks, so that it is also done when a crash came between the two.
 *
 * @throws HoneError when not even the bare base can be loaded.
 */
async function stepBack(
  tenant: string,
  { store, registry, learning, apart }: ForgetOptions,
): Promise<string | undefined> {
  if (!(await forgottenOf(registry)).has(await store.serving.current(tenant))) return undefined
  const whose: Whose = apart ? tenant : undefined
  let failed: unknown
  for (const version of await untaught(store, registry, whose)) {
    try {
      const why = 'the one before learned from a person who was forgotten'
      if (learning) await learning.promote(version, 'forget', tenant)
      else await store.serving.set(version, 'forget', why, tenant)
      return version || (await store.serving.current())
    } catch (error) {
      // One for another base, or damaged: the next one.
      failed = error
    }
  }
  throw failed
}

/** Takes a canary back that is marked; asks the registry too. */
async function endCanary({ store, registry, learning }: ForgetOptions): Promise<void> {
  const canary = canaryOf(await store.serving.log(rows, ''))
  if (!canary || !(await forgottenOf(registry)).has(canary.version)) return
  if (learning) await learning.rollback('forget', '')
  else await store.serving.set(canary.incumbent, 'forget', whys.rolledBack(canary.version, learnedFromForgotten))
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
  theirs: (manifest: DatasetManifest) => Promise<boolean>,
): Promise<ReadonlySet<string>> {
  const removed = new Set<string>()
  for (const name of await readdir(folder).catch(() => [])) {
    const dataset = await readDataset(join(folder, name)).catch(() => undefined)
    if (dataset && !(await theirs(dataset.manifest))) continue
    await removeFolder(join(folder, name))
    if (dataset) removed.add(dataset.manifest.hash)
  }
  return removed
}

/** One run after the other; resolves with the first one that starts, or with why the last one can't. */
async function retrain(
  [tenant, ...more]: readonly (string | undefined)[],
  learning: ForgetOptions['learning'],
): Promise<Forgotten['retraining']> {
  if (!learning) return { none: 'Train again, so that a version without it can serve.' }
  const started = Promise.withResolvers<Forgotten['retraining']>()
  const ended = toItsEnd(learning, async () => {
    const job = await learning.start('forget', learning.tenants ? { tenant: tenant ?? '' } : {})
    started.resolve({ job: job.id })
  })
  const next = ended.then(
    () => (more.length > 0 ? retrain(more, learning) : undefined),
    (error: unknown) => {
      if (!(error instanceof HoneError)) return started.reject(error)
      if (more.length === 0) return started.resolve({ none: error.message })
      return retrain(more, learning).then(started.resolve, started.reject)
    },
  )
  next.catch(() => {})
  return started.promise
}

function tenantOf(job: Job | undefined): string | undefined {
  return typeof job?.detail.tenant === 'string' ? job.detail.tenant : undefined
}
