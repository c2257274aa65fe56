import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Writes a file and waits until it is on the disk itself, its folder entry included. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w')
  await file.writeFile(text, 'utf8')
  await file.sync()
  await syncFolder(dirname(path))
}

/** Waits until a folder's entries (new, renamed, removed files) are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle
  try {
    folder = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR' || (error as NodeJS.ErrnoException).code === 'EPERM') return
    throw error
  }
  await using held = folder
  // Windows can't sync a folder; its file systems keep entries in a journal.
  await held.sync().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM' && error.code !== 'EINVAL') throw error
  })
}

/** Waits until the files in a folder, and its entries, are on the disk. */
export async function syncFiles(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    await using file = await open(join(path, entry.name), 'r+')
    await file.sync()
  }
  await syncFolder(path)
}

/** Bytes of all files under a folder. */
export async function folderBytes(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  let bytes = 0
  for (const entry of entries.filter((item) => item.isFile())) {
    bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

/** Removes a folder that is no longer wanted; one that is gone already is fine. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}
