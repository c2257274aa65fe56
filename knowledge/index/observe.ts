import type { Database } from './database.ts'
import type { Hit, Observation } from './fuse.ts'
import type { Partitions } from './partitions.ts'
import type { Probe } from './probes.ts'
import { denseHits, type IndexQuery, lexicalHits } from './search.ts'
import { lexicalQuery } from './terms.ts'

/** A probe with the vectors that it needs. */
export interface Asked {
  readonly probe: Probe
  readonly vector: Float32Array
  /** Of the passage without its title, for a probe that is the title. */
  readonly untitled?: Float32Array
}

const depth = 50

/** What both legs find for a probe. Where the probe is a title, its own passage competes without it. */
export function observe(database: Database, partitions: Partitions, tenant: string, asked: Asked): Observation {
  const { probe, vector, untitled } = asked
  const query: IndexQuery = { text: probe.query, vector, tenant, limit: depth }
  const right = database
    .all<{ id: number }>(
      'SELECT p.id FROM passages p JOIN documents d ON d.id = p.document WHERE p.hash = ? AND d.tenant = ?',
      probe.hash,
      tenant,
    )
    .map((row) => row.id)
  const lexical = lexicalHits(database, query, depth)
  const dense = denseHits(partitions, query, depth)
  if (!untitled) return { right, lexical, dense }
  const cosine = vector.reduce((sum, value, i) => sum + value * (untitled[i] as number), 0)
  return {
    right,
    lexical: rescored(lexical, right, (id) => wordsAlone(database, probe.query, id)),
    dense: rescored(dense, right, () => cosine),
  }
}

function rescored(hits: readonly Hit[], right: readonly number[], score: (id: number) => number): readonly Hit[] {
  const others = hits.filter((hit) => !right.includes(hit.id))
  return [...others, ...right.map((id) => ({ id, score: score(id) })).filter((hit) => hit.score > 0)]
}

/** BM25 of one passage with its title left out. */
function wordsAlone(database: Database, text: string, id: number): number {
  const words = lexicalQuery(text)
  const sql = 'SELECT -bm25(words, 0, 1) AS score FROM words WHERE words MATCH ? AND rowid = ?'
  return words ? (database.get<{ score: number }>(sql, words, id)?.score ?? 0) : 0
}
