import type { Logger } from '../src/log.ts'
import type { Knowledge, SyncProgress, SyncReport } from '../src/ports/knowledge.ts'
import { type LoadOptions, load } from './load.ts'

export interface SyncOptions extends Omit<LoadOptions, 'onProgress'> {
  /** First while files are read, then while passages are embedded. */
  readonly onProgress?: (step: SyncProgress & { readonly stage: 'read' | 'index' }) => void
  readonly log?: Logger
}

/**
 * Makes the index say what a file, folder or page says now: adds what is new, changes what changed, and removes
 * documents of this very source that are gone. A document that can't be read today is kept as it was and reported.
 *
 * @throws HoneError INPUT when the path doesn't exist: nothing is removed then.
 * @example await syncFolder(knowledge, 'handbook', { tenant: 'web', scope: 'public' })
 */
export async function syncFolder(knowledge: Knowledge, source: string, options: SyncOptions): Promise<SyncReport> {
  const { onProgress, log, ...rest } = options
  const loaded = await load(source, {
    ...rest,
    ...(onProgress && { onProgress: (step) => onProgress({ ...step, stage: 'read' }) }),
  })
  const report = await knowledge.add(loaded.documents, (step) => onProgress?.({ ...step, stage: 'index' }))
  // Removed only after the rest was added: what was merely renamed finds its vectors still there.
  const there = new Set([...loaded.documents, ...loaded.failed].map((one) => one.id))
  const before = await knowledge.documents(options.tenant)
  const gone = before.map((one) => one.id).filter((id) => isOf(id, loaded.source) && !there.has(id))
  const removed = gone.length > 0 ? await knowledge.remove(options.tenant, gone) : 0
  const left = removed > 0 ? await knowledge.documents(options.tenant) : before
  const passages = left.reduce((sum, one) => sum + one.passages, 0)
  const result = { ...report, removed, passages, failed: [...report.failed, ...loaded.failed] }
  log?.info('knowledge.synced', { source: loaded.source, ...result, failed: result.failed.length })
  return result
}

function isOf(id: string, source: string): boolean {
  // Every path that is relative to the base folder; not web addresses, nor files elsewhere.
  if (source === '') return !/^(\/|[a-z]+:)/i.test(id)
  return id === source || id.startsWith(`${source}/`)
}
