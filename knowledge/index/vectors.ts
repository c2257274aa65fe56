import { createRequire } from 'node:module'
import { HoneError } from '../../src/errors.ts'
import type { Hit } from './fuse.ts'

/** Which library compares vectors. `auto` takes FAISS where it can be loaded, else usearch. */
export type VectorLibrary = 'faiss' | 'usearch' | 'auto'

/** Vectors of one tenant and one scope, compared exactly by inner product. Ids are ours. */
export interface VectorIndex {
  readonly size: number
  add(ids: readonly number[], vectors: readonly Float32Array[]): void
  remove(ids: readonly number[]): void
  /** The best `limit`, best first. */
  search(query: Float32Array, limit: number): readonly Hit[]
}

/** How an empty index for vectors of `width` numbers is made, and by which library. */
export interface VectorMaker {
  readonly library: 'faiss' | 'usearch'
  make(width: number): VectorIndex
}

/** The part of faiss-node that is used. It takes plain arrays, knows no ids, and moves rows up when some are removed. */
interface FaissFlat {
  add(rows: number[]): void
  removeIds(rows: number[]): number
  search(query: number[], limit: number): { readonly distances: number[]; readonly labels: number[] }
}
interface Faiss {
  readonly IndexFlatIP: new (width: number) => FaissFlat
}
type Usearch = Pick<typeof import('usearch'), 'exactSearch' | 'MetricKind'>

const require = createRequire(import.meta.url)

/**
 * Loads the wanted library.
 *
 * @throws HoneError ENGINE_MISSING when `faiss` is wanted and can't be loaded, or neither can.
 */
export function loadVectors(wanted: VectorLibrary): VectorMaker {
  if (wanted !== 'usearch') {
    const faiss = tryLoad<Faiss>('faiss-node')
    if (faiss.module) return { library: 'faiss', make: faissIndex.bind(null, faiss.module) }
    if (wanted === 'faiss') {
      const what = `FAISS can't be loaded (${faiss.reason}). Build it with node scripts/build-faiss.mjs, or leave the choice to Hone.`
      throw new HoneError('ENGINE_MISSING', what)
    }
  }
  const usearch = tryLoad<Usearch>('usearch')
  if (!usearch.module) throw new HoneError('ENGINE_MISSING', `usearch can't be loaded: ${usearch.reason}`)
  return { library: 'usearch', make: usearchIndex.bind(null, usearch.module) }
}

function tryLoad<T>(name: string): { module?: T; reason?: string } {
  try {
    return { module: require(name) as T }
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] as string) : String(error) }
  }
}

function faissIndex(faiss: Faiss, width: number): VectorIndex {
  const index = new faiss.IndexFlatIP(width)
  let ids: number[] = []
  return {
    get size() {
      return ids.length
    },
    add(fresh, vectors) {
      if (fresh.length === 0) return
      index.add(vectors.flatMap((vector) => Array.from(vector)))
      ids.push(...fresh)
    },
    remove(gone) {
      const dead = new Set(gone)
      const rows = ids.flatMap((id, row) => (dead.has(id) ? [row] : []))
      if (rows.length > 0) index.removeIds(rows)
      ids = ids.filter((id) => !dead.has(id))
    },
    search(query, limit) {
      const count = Math.min(limit, ids.length)
      if (count === 0) return []
      const { labels, distances } = index.search(Array.from(query), count)
      return labels.flatMap((row, i) => (row < 0 ? [] : [{ id: ids[row] as number, score: distances[i] as number }]))
    },
  }
}

/** usearch compares one matrix exactly, without an index of its own: rows are ours to keep. */
function usearchIndex(usearch: Usearch, width: number): VectorIndex {
  let ids: number[] = []
  let matrix = new Float32Array(0)
  return {
    get size() {
      return ids.length
    },
    add(fresh, vectors) {
      const grown = new Float32Array((ids.length + fresh.length) * width)
      grown.set(matrix)
      for (const [i, vector] of vectors.entries()) grown.set(vector, (ids.length + i) * width)
      matrix = grown
      ids = [...ids, ...fresh]
    },
    remove(gone) {
      const dead = new Set(gone)
      const kept = ids.flatMap((id, row) => (dead.has(id) ? [] : [row]))
      const left = new Float32Array(kept.length * width)
      for (const [i, row] of kept.entries()) left.set(matrix.subarray(row * width, (row + 1) * width), i * width)
      ids = kept.map((row) => ids[row] as number)
      matrix = left
    },
    search(query, limit) {
      const count = Math.min(limit, ids.length)
      if (count === 0) return []
      const found = usearch.exactSearch(matrix, query, width, count, usearch.MetricKind.IP, 1)
      // usearch's distance is 1 - inner product.
      return Array.from(found.keys, (row, i) => ({
        id: ids[Number(row)] as number,
        score: 1 - (found.distances[i] as number),
      }))
    },
  }
}
