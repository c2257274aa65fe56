import { createHash } from 'node:crypto'
import { type Embedder, unit } from '../../knowledge/embedder.ts'

/** An embedder that counts what it is asked: words and their beginnings hashed into a few dimensions. */
export interface HashEmbedder extends Embedder {
  /** Texts embedded so far, by kind. */
  readonly counts: { document: number; query: number }
  /** Set: the next calls fail with it. */
  failure?: Error | undefined
}

/** A working embedder without a model: texts that share words get near vectors. */
export function hashEmbedder(id = 'hash', width = 64): HashEmbedder {
  const embedder: HashEmbedder = {
    id,
    width,
    counts: { document: 0, query: 0 },
    async embed(texts, kind, signal) {
      signal?.throwIfAborted()
      if (embedder.failure) throw embedder.failure
      embedder.counts[kind] += texts.length
      return texts.map((text) => vectorOf(text, id, width))
    },
  }
  return embedder
}

function vectorOf(text: string, id: string, width: number): Float32Array {
  const vector = new Float32Array(width)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    for (const piece of [word, word.slice(0, 4)]) {
      const hash = createHash('sha1').update(`${id}:${piece}`).digest()
      const at = hash.readUInt16LE(0) % width
      vector[at] = (vector[at] as number) + ((hash[2] as number) & 1 ? 1 : -1)
    }
  }
  return unit(vector)
}
