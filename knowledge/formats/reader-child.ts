import { HoneError } from '../../src/errors.ts'
import { type Raw, readHere } from './read.ts'
import type { ReaderAnswer } from './reader.ts'

/** The process that opens files of strangers: no environment, no writing, no other programs, and it may be killed. */
process.on('message', async (raw: Raw) => {
  process.send?.(await answer(raw))
})
process.on('disconnect', () => process.exit(0))

async function answer(raw: Raw): Promise<ReaderAnswer> {
  try {
    return { ok: true, parsed: await readHere(raw) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, reason: error instanceof HoneError ? reason : `It can't be read: ${reason}` }
  }
}
