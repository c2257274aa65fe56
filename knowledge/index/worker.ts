import { parentPort, workerData } from 'node:worker_threads'
import { asHoneError } from '../../src/errors.ts'
import type { Answer, Ask } from './client.ts'
import { type IndexOptions, openIndex } from './open.ts'

/** The thread that owns the index: the main thread never waits for SQLite or a vector comparison. */
const port = parentPort
if (!port) throw new Error('This file is a worker thread of the knowledge index.')

let index: ReturnType<typeof openIndex> | undefined

async function answer({ id, name, input }: Ask): Promise<Answer> {
  try {
    index ??= openIndex(workerData as IndexOptions)
    const call = index[name] as (input: unknown) => unknown
    return { id, ok: true, value: await call(input) }
  } catch (error) {
    const { code, message } = asHoneError(error, 'STORE', 'The knowledge index failed')
    return { id, ok: false, code, message }
  }
}

// One after another: a plan that is being cut must not see half of a commit.
let last: Promise<void> = Promise.resolve()
port.on('message', (ask: Ask) => {
  last = last.then(async () => port.postMessage(await answer(ask)))
})
