import { createHash } from 'node:crypto'
import type { KnowledgeDocument } from '../../src/ports/knowledge.ts'
import { type Chunk, chunk, chunkerVersion } from '../chunk.ts'
import { type Database, toBlob } from './database.ts'

/** A document that will be written, cut into passages. */
export interface Staged {
  readonly document: KnowledgeDocument
  readonly hash: string
  readonly isNew: boolean
  readonly passages: readonly StagedPassage[]
}
interface StagedPassage extends Chunk {
  /** The passage's id for everyone outside: the same as long as its document says the same. */
  readonly key: string
  /** Hash of what is embedded: the vector's name. */
  readonly hash: string
}

/** What a write did to passages, by row id. */
export interface Changes {
  readonly removed: number[]
  readonly added: number[]
}

const sha256 = (...parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/** Cuts those documents that differ from what is indexed. Of two with one id the later counts. */
export async function stage(
  database: Database,
  documents: readonly KnowledgeDocument[],
  passageChars: number,
): Promise<readonly Staged[]> {
  const last = new Map(documents.map((document) => [JSON.stringify([document.tenant, document.id]), document]))
  const found: Staged[] = []
  for (const document of last.values()) {
    const { tenant, id, scope, title, text, url = '', format } = document
    const hash = sha256(scope, title, url, format, text, `${chunkerVersion}:${passageChars}`)
    const before = database.get<{ hash: string }>(
      'SELECT hash FROM documents WHERE tenant = ? AND name = ?',
      tenant,
      id,
    )
    if (before?.hash === hash) continue
    const passages = keyed(document, await chunk(document, passageChars))
    found.push({ document, hash, isNew: before === undefined, passages })
  }
  return found
}

function keyed(document: KnowledgeDocument, chunks: readonly Chunk[]): readonly StagedPassage[] {
  const seen = new Map<string, number>()
  return chunks.map((one) => {
    const content = sha256(document.tenant, document.id, document.scope, one.title, one.text)
    const nth = seen.get(content) ?? 0
    seen.set(content, nth + 1)
    return { ...one, key: `p_${sha256(content, String(nth)).slice(0, 20)}`, hash: sha256(one.embedText) }
  })
}

/** Writes staged documents; call it inside a transaction. Passages that stay the same keep their rows. */
export function write(database: Database, staged: readonly Staged[]): Changes {
  const changes: Changes = { removed: [], added: [] }
  for (const one of staged) {
    const row = upsert(database, one)
    const old = database.all<{ id: number; key: string }>('SELECT id, key FROM passages WHERE document = ?', row)
    const kept = new Map(old.map((passage) => [passage.key, passage.id]))
    const wanted = new Set(one.passages.map((passage) => passage.key))
    for (const { id, key } of old) if (!wanted.has(key)) removePassage(database, id, changes)
    for (const [place, passage] of one.passages.entries()) {
      const id = kept.get(passage.key)
      if (id !== undefined) database.run('UPDATE passages SET place = ? WHERE id = ?', place, id)
      else changes.added.push(insertPassage(database, { row, place, ...one.document }, passage))
    }
  }
  return changes
}

function upsert(database: Database, { document, hash }: Staged): number {
  const { tenant, id, scope, title, url } = document
  database.run(
    `INSERT INTO documents (tenant, name, scope, title, url, hash) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, name) DO UPDATE SET scope = excluded.scope, title = excluded.title,
       url = excluded.url, hash = excluded.hash`,
    tenant,
    id,
    scope,
    title,
    url ?? null,
    hash,
  )
  const row = database.get<{ id: number }>('SELECT id FROM documents WHERE tenant = ? AND name = ?', tenant, id)
  return (row as { id: number }).id
}

/** Tenant and scope stand in the passage too: a search filters by them for every match. */
type Place = Pick<KnowledgeDocument, 'tenant' | 'scope'> & { readonly row: number; readonly place: number }

function insertPassage(database: Database, where: Place, passage: StagedPassage): number {
  const { key, title, text, embedText, hash } = passage
  const row = database.get<{ id: number }>(
    `INSERT INTO passages (key, document, tenant, scope, place, title, text, embed_text, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    key,
    where.row,
    where.tenant,
    where.scope,
    where.place,
    title,
    text,
    embedText,
    hash,
  ) as { id: number }
  database.run('INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)', row.id, title, text)
  return row.id
}

function removePassage(database: Database, id: number, changes: Changes): void {
  database.run('DELETE FROM words WHERE rowid = ?', id)
  database.run('DELETE FROM passages WHERE id = ?', id)
  changes.removed.push(id)
}

/** Removes documents of one tenant by id; call it inside a transaction. */
export function removeDocuments(database: Database, tenant: string, ids: readonly string[]) {
  const changes: Changes = { removed: [], added: [] }
  let documents = 0
  for (const id of new Set(ids)) {
    const row = database.get<{ id: number }>('SELECT id FROM documents WHERE tenant = ? AND name = ?', tenant, id)
    if (!row) continue
    const passages = database.all<{ id: number }>('SELECT id FROM passages WHERE document = ?', row.id)
    for (const passage of passages) removePassage(database, passage.id, changes)
    documents += database.run('DELETE FROM documents WHERE id = ?', row.id)
  }
  dropOrphans(database)
  return { documents, changes }
}

/** Keeps vectors under the embedder's id and the hash of the text they were made from. */
export function writeVectors(database: Database, embedder: string, vectors: ReadonlyMap<string, Float32Array>): void {
  for (const [hash, vector] of vectors) {
    database.run(
      'INSERT OR REPLACE INTO vectors (embedder, hash, vector) VALUES (?, ?, ?)',
      embedder,
      hash,
      toBlob(vector),
    )
  }
}

/** What was deleted must not live on as a vector; nor need the vectors of an embedder that serves no more. */
export function dropOrphans(database: Database, embedder?: string): void {
  database.run('DELETE FROM vectors WHERE hash NOT IN (SELECT hash FROM passages)')
  if (embedder !== undefined) database.run('DELETE FROM vectors WHERE embedder <> ?', embedder)
}
