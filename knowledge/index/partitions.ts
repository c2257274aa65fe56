import { type Database, fromBlob } from './database.ts'
import type { Hit } from './fuse.ts'
import type { VectorIndex, VectorMaker } from './vectors.ts'

interface VectorRow {
  readonly id: number
  readonly tenant: string
  readonly scope: string
  readonly vector: Uint8Array
}

/**
 * The dense leg: one vector index for each tenant and scope. What an asker may not see lies in an index that is not
 * searched, so no filter comes after a top-k cut.
 */
export interface Partitions {
  /** Follows a change: drops passages and takes in those of `added` that have vectors. */
  update(removed: readonly number[], added: readonly number[]): void
  /** Reads everything anew, with the vectors of the embedder that serves now. */
  reload(): void
  /** The best `limit` of the tenant's passages in these scopes; `undefined` means all scopes. */
  search(query: Float32Array, limit: number, tenant: string, scopes?: readonly string[]): readonly Hit[]
}

const select = `SELECT p.id, d.tenant, d.scope, v.vector FROM passages p JOIN documents d ON d.id = p.document
  JOIN vectors v ON v.hash = p.hash AND v.embedder = ?`

/** Partitions in memory over the vectors in the index file. */
export function openPartitions(database: Database, maker: VectorMaker, embedder: () => string): Partitions {
  const tenants = new Map<string, Map<string, VectorIndex>>()
  const whereIs = new Map<number, VectorIndex>()

  function insert(rows: readonly VectorRow[]): void {
    for (const group of Map.groupBy(rows, (row) => JSON.stringify([row.tenant, row.scope])).values()) {
      const { tenant, scope } = group[0] as VectorRow
      const vectors = group.map((row) => fromBlob(row.vector))
      const scopes = tenants.get(tenant) ?? new Map<string, VectorIndex>()
      const index = scopes.get(scope) ?? maker.make((vectors[0] as Float32Array).length)
      tenants.set(tenant, scopes.set(scope, index))
      index.add(
        group.map((row) => row.id),
        vectors,
      )
      for (const row of group) whereIs.set(row.id, index)
    }
  }
  return {
    update(removed, added) {
      const byIndex = Map.groupBy(removed, (id) => whereIs.get(id))
      for (const [index, ids] of byIndex) index?.remove(ids)
      for (const id of removed) whereIs.delete(id)
      insert(added.flatMap((id) => database.all<VectorRow>(`${select} WHERE p.id = ?`, embedder(), id)))
    },
    reload() {
      tenants.clear()
      whereIs.clear()
      insert(database.all<VectorRow>(select, embedder()))
    },
    search(query, limit, tenant, scopes) {
      const own = tenants.get(tenant) ?? new Map<string, VectorIndex>()
      const visible = scopes ? [...new Set(scopes)].flatMap((scope) => own.get(scope) ?? []) : [...own.values()]
      return visible
        .flatMap((index) => index.search(query, limit))
        .sort((a, b) => b.score - a.score || a.id - b.id)
        .slice(0, limit)
    },
  }
}
