import {
  exportFeedback,
  type FeedbackRow,
  type Forgotten,
  feedbackStats,
  type Imported,
  importFeedback,
  type RowFormat,
} from '../../training/index.ts'
import type { RunEvent, TrainOptions, TrainPlan, VersionInfo } from '../ports/learning.ts'
import type { Parts } from './parts.ts'

/** What the commands need that also work while a server has the data folder: its own parts, or that server's. */
export interface Desk {
  plan(options: TrainOptions): Promise<TrainPlan>
  /** Starts a run and tells what happens until it ends. Whoever stops listening doesn't stop the run. */
  train(options: TrainOptions): AsyncIterable<RunEvent>
  cancel(): Promise<boolean>
  versions(): Promise<readonly VersionInfo[]>
  promote(version: string): Promise<void>
  /** Answers which version serves now. */
  rollback(): Promise<string>
  stats(): Promise<Readonly<Record<string, number>>>
  exportRows(format: RowFormat): Promise<readonly object[]>
  importRows(rows: readonly FeedbackRow[]): Promise<Imported>
  /** Deletes everything of a person, and retrains where a version had learned from it. */
  forget(person: string): Promise<Forgotten & { readonly rows: number }>
}

const by = 'cli'

/** The desk of this process: what the commands do when no server runs, and what a server does for them. */
export function localDesk(parts: Pick<Parts, 'learning' | 'store' | 'config' | 'forget'>): Desk {
  const { learning, store, config } = parts
  return {
    plan: async (options) => (await learning()).plan(options),
    async *train(options) {
      const loop = await learning()
      await loop.start(by, options)
      yield* loop.watch()
    },
    cancel: async () => (await learning()).cancel(by),
    versions: async () => (await learning()).versions(),
    promote: async (version) => (await learning()).promote(version, by),
    rollback: async () => (await learning()).rollback(by),
    stats: async () => feedbackStats(await store()),
    exportRows: async (format) => exportFeedback(await store(), format, config.trainOn),
    importRows: async (rows) => importFeedback(await store(), rows),
    forget: parts.forget,
  }
}
