import { join } from 'node:path'
import { guestOf } from '../src/id.ts'
import type { Judged, Store } from '../src/ports/store.ts'
import { sha256 } from './hash.ts'
import type { VersionManifest } from './manifest.ts'

/**
 * On whose feedback something is done: a tenant's, `''` for the operator's own tenants together, undefined where all
 * tenants learn together.
 */
export type Whose = string | undefined

/** Judged prompts of those, oldest first. */
export async function* judgedOf(store: Store, whose: Whose): AsyncIterable<Judged> {
  for await (const judged of store.feedback.judged(whose ? { tenant: whose } : {}))
    if (whose === undefined || guestOf(judged.tenant) === whose) yield judged
}

/** Who has feedback that may be trained on, or a version; the operator as `''`, and first. */
export async function tenantsOf(store: Store, trainOn: readonly string[]): Promise<readonly string[]> {
  const found = new Set(await store.serving.tenants())
  for await (const { channel, tenant } of store.feedback.judged())
    if (trainOn.includes(channel)) found.add(guestOf(tenant))
  return [...found].sort()
}

/** Where files of a tenant's learning lie: beside those of the operator, under a name that tells nothing. */
export function folderOf(dataDir: string, whose: Whose): string {
  return whose ? join(dataDir, 'tenants', sha256(whose).slice(0, 16)) : dataDir
}

/** Whether a version has learned from nobody's feedback but theirs and the operator's own, which is for all. */
export function isFor({ tenant, pooled }: Pick<VersionManifest, 'tenant' | 'pooled'>, whose: Whose): boolean {
  return whose === undefined || (!pooled && (!tenant || tenant === whose))
}
