import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readDataset } from './dataset.ts'
import { removeFolder } from './files.ts'
import type { Registry } from './registry.ts'

/** What of a person's feedback lay outside the store. */
export interface Forgotten {
  /** Frozen datasets that held a row of theirs; removed. */
  readonly datasets: number
  /** Versions that were trained on such a row. The next run starts from the base, so it knows nothing of it. */
  readonly versions: readonly string[]
}

/**
 * Removes the frozen datasets that hold a person's rows and names the versions that learned from them. Call it after
 * `store.feedback.forget`, while no run is on. A version itself stays until a person rolls it back.
 *
 * @example const { versions } = await forgetInTraining('web:anna', dataDir, registry)
 */
export async function forgetInTraining(person: string, dataDir: string, registry: Registry): Promise<Forgotten> {
  const folder = join(dataDir, 'datasets')
  let datasets = 0
  for (const name of await readdir(folder).catch(() => [])) {
    const dataset = await readDataset(join(folder, name)).catch(() => undefined)
    const theirs = !dataset || dataset.manifest.traces.some(({ people }) => people.includes(person))
    if (!theirs) continue
    await removeFolder(join(folder, name))
    datasets += dataset ? 1 : 0
  }
  const touched = (await registry.list()).filter(({ manifest }) =>
    manifest.pairs.some(({ people }) => people.includes(person)),
  )
  return { datasets, versions: touched.map(({ manifest }) => manifest.id) }
}
