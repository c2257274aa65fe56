import assert from 'node:assert/strict'
import fc from 'fast-check'
import { chooseMix, fuse, type Hit, type Observation } from '../../knowledge/index/fuse.ts'
import { probes } from '../../knowledge/index/probes.ts'
import { lexicalQuery } from '../../knowledge/index/terms.ts'

const hits = (...ids: readonly number[]): readonly Hit[] => ids.map((id, i) => ({ id, score: 1 / (i + 1) }))
const ids = (found: readonly Hit[]) => found.map((hit) => hit.id)

describe('mixing the legs', () => {
  it('ranks by one leg alone at either end', () => {
    assert.deepEqual(ids(fuse(hits(1, 2), hits(3, 1), { dense: 0, floor: 0 })), [1, 2])
    assert.deepEqual(ids(fuse(hits(1, 2), hits(3, 1), { dense: 1, floor: 0 })), [3, 1])
  })

  it('puts first what both legs find', () => {
    assert.equal(fuse(hits(1, 2), hits(2, 3), { dense: 0.5, floor: 0 })[0]?.id, 2)
  })

  it('drops dense finds below the floor', () => {
    assert.deepEqual(fuse([], [{ id: 1, score: 0.2 }], { dense: 0.5, floor: 0.3 }), [])
  })

  it('turns a leg of noise off', () => {
    const observations = Array.from({ length: 40 }, (_, i): Observation => {
      return { right: [i], lexical: hits(i, i + 1, i + 2), dense: hits(i + 3, i + 4, i + 5, i + 6) }
    })
    const { dense, mrr } = chooseMix(observations)
    assert.ok(dense <= 0.4)
    assert.deepEqual(mrr, { lexical: 1, dense: 0, fused: 1 })
  })

  it('takes the share that is known to be good where the legs are as good as one another, or nothing was measured', () => {
    const observations = [{ right: [1], lexical: hits(1, 2), dense: hits(1, 3) }]
    for (const seen of [observations, []]) {
      assert.equal(chooseMix(seen).dense, 0.3)
      assert.equal(chooseMix(seen, 0.8).dense, 0.8)
    }
  })

  it('never ranks worse than the better leg alone, whatever the legs find', () => {
    const hit = fc.record({ id: fc.nat(8), score: fc.double({ min: 0.01, max: 1, noNaN: true }) })
    const leg = fc.uniqueArray(hit, { selector: (one) => one.id, maxLength: 6 })
    const observation = fc.record({ right: fc.nat(8).map((id) => [id]), lexical: leg, dense: leg })
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 20 }), (observations) => {
        const { mrr } = chooseMix(observations)
        assert.ok(mrr.fused >= Math.max(mrr.lexical, mrr.dense) - 1e-12)
      }),
    )
  })
})

describe('queries made from the corpus', () => {
  const passage = { title: 'Leave - Vacation', text: 'Everyone gets 25 days. Ask your lead early.', hash: 'abcdef0123' }

  it('ask with the heading for the text under it, and with some of its words', () => {
    const [heading, words] = probes(passage)
    assert.deepEqual(heading, { query: 'Vacation', hash: passage.hash, untitled: passage.text })
    assert.ok(words?.query.split(' ').every((word) => passage.text.toLowerCase().includes(word)))
  })

  it('are the same for the same corpus', () => {
    assert.deepEqual(probes(passage), probes(passage))
  })
})

describe('the lexical query', () => {
  it('keeps the words that say something', () => {
    assert.equal(lexicalQuery('How many vacation days do I get?'), '"vacation" OR "days"')
    assert.equal(lexicalQuery('Where is the IT desk?'), '"it" OR "desk"')
    assert.equal(lexicalQuery('how are you?'), '')
  })

  it('takes the beginning of a long word that no passage has', () => {
    assert.equal(
      lexicalQuery('vacaton rule', (word) => word !== 'vacaton'),
      '"vacat"* OR "rule"',
    )
  })

  it('quotes whatever is typed', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        assert.match(lexicalQuery(text), /^("[\p{L}\p{N}]+"( OR "[\p{L}\p{N}]+")*)?$/u)
      }),
    )
  })
})
