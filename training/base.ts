import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from './files.ts'
import { sha256, sha256File } from './hash.ts'

/**
 * SHA-256 of the base model: of the file's bytes, or of the name where it is a model on a server. A large file is
 * read once; the result is kept in `folder` beside the file's path, size and time.
 */
export async function baseSha256(base: string, folder: string): Promise<string> {
  const file = await stat(base).catch(() => undefined)
  if (!file?.isFile()) return sha256('name', base)
  const key = JSON.stringify([base, file.size, file.mtimeMs])
  const note = join(folder, 'base.json')
  const known = await readFile(note, 'utf8')
    .then((text) => JSON.parse(text) as { readonly key?: string; readonly sha256?: string })
    .catch(() => undefined)
  if (known?.key === key && typeof known.sha256 === 'string') return known.sha256
  const found = await sha256File(base)
  // Only a convenience: without the note the file is read again next time.
  await writeDurably(note, JSON.stringify({ key, sha256: found })).catch(() => {})
  return found
}
