import { mkdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { removeFolder } from './files.ts'

const folder = (dataDir: string): string => join(dataDir, 'jobs', 'unfinished')

/** Keeps the checkpoints of a run that its process did not survive, in place of those of an earlier one. */
export async function keepUnfinished(dataDir: string, id: string): Promise<void> {
  await dropUnfinished(dataDir)
  await rename(join(dataDir, 'jobs', id, 'output.work'), folder(dataDir)).catch(ignoreAbsent)
}

/**
 * Gives kept checkpoints to the run that writes to `output`. The trainer goes on from them if they are of the same rows,
 * model and settings, and throws them away otherwise.
 */
export async function takeUnfinished(dataDir: string, output: string): Promise<void> {
  const kept = await stat(folder(dataDir)).catch(() => undefined)
  if (!kept) return
  await mkdir(dirname(output), { recursive: true })
  await rename(folder(dataDir), `${output}.work`)
}

/** Removes kept checkpoints. They may hold what a person taught. */
export async function dropUnfinished(dataDir: string): Promise<void> {
  await removeFolder(folder(dataDir))
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
