import { syncFolder } from '../../knowledge/index.ts'
import { emitting } from '../emitting.ts'
import { asHoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { everyTenant, type Knowledge, type SyncProgress, type SyncReport } from '../ports/knowledge.ts'

/** What is to be read, and the folder that a path is meant from. */
export interface Source {
  readonly source: string
  readonly base: string
}

/** A step of an ingest, and in the end what came of it. */
export type Ingesting = { readonly step: SyncProgress } | { readonly report: SyncReport }

/** Reads documents into the knowledge, for everybody. */
export interface Ingests extends Disposable {
  /** Whoever stops listening doesn't stop it. */
  run(source: Source): AsyncIterable<Ingesting>
}

/**
 * Ingests one after the other: each compares what it read with what was there, so two at once would undo each other. Disposed,
 * it reads no further.
 */
export function createIngests(knowledge: Knowledge, log: Logger): Ingests {
  const stopping = new AbortController()
  let last: Promise<unknown> = Promise.resolve()

  async function ingest({ source, base }: Source, emit: (value: Ingesting) => void): Promise<void> {
    const onProgress = ({ done, total, document }: SyncProgress) => emit({ step: { done, total, document } })
    const options = { tenant: everyTenant, scope: 'public', base, onProgress, log, signal: stopping.signal }
    try {
      emit({ report: await syncFolder(knowledge, source, options) })
    } catch (error) {
      const why = asHoneError(error, 'STORE', 'The documents could not be read').message
      log.info('knowledge.ingest.failed', { source, why })
      throw error
    }
  }
  return {
    run: (source) =>
      emitting((emit) => {
        const turn = last.then(() => ingest(source, emit))
        last = turn.catch(() => undefined)
        return turn
      }),
    [Symbol.dispose]: () => stopping.abort(),
  }
}
