import type { Passage } from '../../src/ports/knowledge.ts'
import type { Database } from './database.ts'
import { fuse, type Hit, type Mix } from './fuse.ts'
import type { Partitions } from './partitions.ts'
import { lexicalQuery } from './terms.ts'

/** A search as the index runs it; the query's vector comes from outside. */
export interface IndexQuery {
  readonly text: string
  readonly vector?: Float32Array
  readonly tenant: string
  /** Scopes the asker is in; `public` is always seen. Absent only for measuring: all of the tenant. */
  readonly scopes?: readonly string[]
  readonly limit: number
}

/** A word in a title counts this many times a word of the text. */
const titleWeight = 2

interface PassageRow {
  readonly key: string
  readonly document: string
  readonly title: string
  readonly text: string
  readonly url: string | null
}

/** The lexical leg: BM25 over the tenant's passages in these scopes, filtered before the cut. */
export function lexicalHits(database: Database, query: IndexQuery, limit: number): readonly Hit[] {
  const words = lexicalQuery(query.text, (word) => isKnown(database, query.tenant, word))
  if (!words) return []
  const scopes = query.scopes ? 'AND p.scope IN (SELECT value FROM json_each(?))' : ''
  return database
    .all<Hit>(
      `SELECT words.rowid AS id, -bm25(words, ${titleWeight}, 1) AS score FROM words
       JOIN passages p ON p.id = words.rowid
       WHERE words MATCH ? AND p.tenant = ? ${scopes} ORDER BY score DESC, id LIMIT ?`,
      words,
      query.tenant,
      ...(query.scopes ? [JSON.stringify(visible(query.scopes))] : []),
      limit,
    )
    .map(({ id, score }) => ({ id, score }))
}

/** Whether any passage of the tenant has the word. */
function isKnown(database: Database, tenant: string, word: string): boolean {
  const found = database.get(
    'SELECT 1 FROM words JOIN passages p ON p.id = words.rowid WHERE words MATCH ? AND p.tenant = ? LIMIT 1',
    `"${word}"`,
    tenant,
  )
  return found !== undefined
}

/** The dense leg, over the same passages. */
export function denseHits(partitions: Partitions, query: IndexQuery, limit: number): readonly Hit[] {
  if (!query.vector) return []
  return partitions.search(query.vector, limit, query.tenant, query.scopes && visible(query.scopes))
}

const visible = (scopes: readonly string[]) => ['public', ...scopes]

/** Both legs, mixed. Passages that say the same under the same title are returned once. */
export function searchIndex(database: Database, partitions: Partitions, query: IndexQuery, mix: Mix): Passage[] {
  const candidates = Math.max(50, query.limit * 5)
  const lexical = mix.dense < 1 || !query.vector ? lexicalHits(database, query, candidates) : []
  const dense = mix.dense > 0 ? denseHits(partitions, query, candidates) : []
  const ranked = query.vector ? fuse(lexical, dense, mix) : fuse(lexical, [], { dense: 0, floor: 0 })
  const seen = new Set<string>()
  const found: Passage[] = []
  for (const { id, score } of ranked) {
    if (found.length >= query.limit) break
    const row = database.get<PassageRow>(
      `SELECT p.key, d.name AS document, p.title, p.text, d.url FROM passages p
       JOIN documents d ON d.id = p.document WHERE p.id = ? AND p.tenant = ?`,
      id,
      query.tenant,
    )
    const said = row && `${row.title}\n${row.text}`
    if (!row || !said || seen.has(said)) continue
    seen.add(said)
    const { key, document, title, text, url } = row
    found.push({ id: key, document, title, text, score, ...(url !== null && { url }) })
  }
  return found
}
