import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadFile } from '../../adapters/slack/index.ts'
import { load } from '../../knowledge/index.ts'
import { HoneError } from '../errors.ts'
import type { Knowledge } from '../ports/knowledge.ts'

/** Reads shared files into the knowledge, each under its own id: shared once more, it replaces itself. */
export function fileReader(knowledge: () => Promise<Knowledge>): ReadFile {
  return async function read({ id, name, bytes, tenant, scope }) {
    const folder = await mkdtemp(join(tmpdir(), 'hone-file-'))
    try {
      const file = join(folder, safeName(name))
      await writeFile(file, bytes)
      const { documents, failed } = await load(file, { tenant, scope, base: folder })
      const [wrong] = failed
      if (wrong) throw new HoneError('DOCUMENT', wrong.reason)
      const own = documents.map((document) => ({ ...document, id: `${scope}/${id}/${document.id}` }))
      const { passages } = await (await knowledge()).add(own)
      return passages
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** A file name that can't be a path, and keeps the ending that says what is in it. */
function safeName(name: string): string {
  return (
    name
      .replace(/[^\p{L}\p{N}._-]+/gu, '-')
      .replace(/^\.+/, '')
      .slice(-100) || 'file'
  )
}
