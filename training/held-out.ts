import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { asHoneError } from '../src/errors.ts'
import { writeDurably } from './files.ts'
import type { HeldOut } from './split.ts'

const fileName = 'held-out.json'

/** What earlier runs held out: hashes of threads and questions. Nothing where there was no run yet. */
export async function readHeldOut(dataDir: string): Promise<HeldOut> {
  const text = await readFile(join(dataDir, fileName), 'utf8').catch(() => '[]')
  try {
    return new Set(JSON.parse(text) as readonly string[])
  } catch (error) {
    throw asHoneError(error, 'STORE', `${join(dataDir, fileName)} can't be read; it says what must not be trained on`)
  }
}

/** Remembers, before anything is trained, what the run holds out. In this file alone, for good: see {@link readHeldOut}. */
export async function rememberHeldOut(dataDir: string, keys: HeldOut): Promise<void> {
  const path = join(dataDir, fileName)
  try {
    await mkdir(dataDir, { recursive: true })
    await writeDurably(`${path}.part`, `${JSON.stringify([...keys].sort())}\n`)
    await rename(`${path}.part`, path)
  } catch (error) {
    throw asHoneError(error, 'STORE', 'What is held out could not be written')
  }
}
