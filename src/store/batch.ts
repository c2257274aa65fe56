import type { Db, Write } from './schema.ts'

interface Waiting {
  readonly run: (on: Db) => Promise<void>
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/**
 * Writes that share commits: what was asked for while one turn of the event loop's I/O was handled is one
 * transaction, so that fifty messages at once cost one wait for the disk. Each write resolves after its commit.
 * When anything in a shared transaction fails, it is rolled back and each of its writes is done again, alone: one
 * bad write fails by itself. So a write must be repeatable: nothing but statements on the connection it is given.
 */
export function batched(db: Db): Write {
  let waiting: Waiting[] = []

  async function flush(): Promise<void> {
    const batch = waiting
    waiting = []
    try {
      await commit(db, batch)
      for (const write of batch) write.done()
    } catch (error) {
      if (batch.length === 1) return batch[0]?.failed(error)
      for (const write of batch) await commit(db, [write]).then(write.done, write.failed)
    }
  }

  return function write<T>(work: (on: Db) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, failed) => {
      let result: T
      const run = async (on: Db) => {
        result = await work(on)
      }
      // Not at once: the other events of this turn of the loop come along.
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ run, done: () => resolve(result), failed })
    })
  }
}

function commit(db: Db, batch: readonly Waiting[]): Promise<void> {
  return db.transaction().execute(async (on) => {
    for (const write of batch) await write.run(on)
  })
}
