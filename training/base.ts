import { readFile, stat } from 'node:fs/promises'
import { writeDurably } from './files.ts'
import { sha256, sha256File } from './hash.ts'

/** SHA-256 of the base model: of the file's bytes, or of the name where it is a model on a server. */
export async function baseSha256(base: string, note: string): Promise<string> {
  const file = await stat(base).catch(() => undefined)
  return file?.isFile() ? fileSha256(base, note) : sha256('name', base)
}

/**
 * SHA-256 of a large file's bytes. It is read once: the result is kept in the file `note` beside path, size and times,
 * of which the last change of the entry (`ctime`) can't be set back as the other one can.
 */
export async function fileSha256(path: string, note: string): Promise<string> {
  const { size, mtimeMs, ctimeMs } = await stat(path)
  const key = JSON.stringify([path, size, mtimeMs, ctimeMs])
  const known = await readFile(note, 'utf8')
    .then((text) => JSON.parse(text) as { readonly key?: string; readonly sha256?: string })
    .catch(() => undefined)
  if (known?.key === key && typeof known.sha256 === 'string') return known.sha256
  const found = await sha256File(path)
  // Only a convenience: without the note the file is read again next time.
  await writeDurably(note, JSON.stringify({ key, sha256: found })).catch(() => {})
  return found
}
