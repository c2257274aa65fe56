import assert from 'node:assert/strict'
import { unit } from '../../knowledge/embedder.ts'
import { loadVectors, type VectorMaker } from '../../knowledge/index/vectors.ts'

/** FAISS, where it was built (`node scripts/build-faiss.mjs`). */
function faiss(): VectorMaker | undefined {
  try {
    return loadVectors('faiss')
  } catch {
    return undefined
  }
}

const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed / 2_147_483_648 - 0.5
}
function vectors(count: number, width: number, seed: number): readonly Float32Array[] {
  const next = random(seed)
  return Array.from({ length: count }, () => unit(Float32Array.from({ length: width }, next)))
}

for (const library of ['usearch', 'faiss'] as const) {
  describe(`vectors in ${library}`, () => {
    let maker: VectorMaker
    before(function () {
      const found = library === 'faiss' ? faiss() : loadVectors('usearch')
      if (!found) this.skip()
      maker = found
    })

    it('find each vector as its own nearest, under our ids', () => {
      const index = maker.make(16)
      const all = vectors(50, 16, 1)
      index.add(
        all.map((_, i) => 1000 + i),
        all,
      )
      for (const [i, one] of all.entries()) {
        const [best] = index.search(one, 3)
        assert.equal(best?.id, 1000 + i)
        assert.ok(Math.abs((best?.score ?? 0) - 1) < 1e-5)
      }
    })

    it('keep their ids when others are removed and added', () => {
      const index = maker.make(16)
      const all = vectors(30, 16, 2)
      index.add(
        all.slice(0, 20).map((_, i) => i),
        all.slice(0, 20),
      )
      index.remove([0, 3, 19, 99])
      index.add(
        all.slice(20).map((_, i) => 20 + i),
        all.slice(20),
      )
      assert.equal(index.size, 27)
      for (const [i, one] of all.entries()) {
        const best = index.search(one, 1)[0]
        assert.equal(best?.id === i, ![0, 3, 19].includes(i))
      }
    })

    it('find nothing when empty and no more than there is', () => {
      const index = maker.make(4)
      const [one] = vectors(1, 4, 3) as [Float32Array]
      assert.deepEqual(index.search(one, 5), [])
      index.add([], [])
      index.add([7], [one])
      assert.equal(index.search(one, 5).length, 1)
      index.remove([7])
      assert.deepEqual(index.search(one, 5), [])
    })
  })
}

describe('FAISS and usearch', () => {
  it('rank the same vectors the same', function () {
    const maker = faiss()
    if (!maker) return this.skip()
    const all = vectors(2000, 48, 4)
    const [a, b] = [maker.make(48), loadVectors('usearch').make(48)]
    for (const index of [a, b]) {
      index.add(
        all.map((_, i) => i),
        all,
      )
      index.remove([5, 6, 1999])
    }
    for (const query of vectors(50, 48, 5)) {
      const [left, right] = [a.search(query, 10), b.search(query, 10)]
      assert.deepEqual(
        left.map((hit) => hit.id),
        right.map((hit) => hit.id),
      )
      for (const [i, hit] of left.entries()) assert.ok(Math.abs(hit.score - (right[i]?.score ?? 0)) < 1e-5)
    }
  })
})
