import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Pair } from '../../training/pairs.ts'
import { bucket, type HeldOut, heldOutKeys, split } from '../../training/split.ts'
import { wilson } from '../../training/stats.ts'
import { pairRow, pairRows } from './rows.ts'

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id).sort()

describe('the hold-out split', () => {
  it('holds out about a fifth of many threads, and never both sides of a thread', () => {
    const { train, heldOut, by } = split(pairRows(400))
    assert.equal(by, 'thread')
    assert.ok(heldOut.length > 55 && heldOut.length < 105, `${heldOut.length} of 400`)
    assert.equal(train.length + heldOut.length, 400)
  })

  it('never moves a thread out of the fixed fifth when rows are added', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 200 }), fc.nat(100), (count, more) => {
        const before = split(pairRows(count)).heldOut.filter(({ thread }) => bucket(thread) < 20)
        const after = new Set(ids(split(pairRows(count + more)).heldOut))
        assert.ok(before.every(({ id }) => after.has(id)))
      }),
      { numRuns: 25 },
    )
  })

  it('holds out enough prompts to judge by even with little data', () => {
    const { train, heldOut } = split(pairRows(36))
    assert.ok(heldOut.length >= 8 || heldOut.length >= 36 * 0.15, `${heldOut.length} of 36`)
    assert.ok(train.length >= 18)
  })

  it('splits one long thread by its questions', () => {
    const { train, heldOut, by } = split(pairRows(60, () => ({ thread: 'web:only' })))
    assert.equal(by, 'question')
    assert.ok(heldOut.length >= 8 && train.length >= 30)
  })

  it('does not train on a prompt that is held out in another thread', () => {
    const rows = pairRows(100)
    const held = split(rows).heldOut[0]
    assert.ok(held)
    const elsewhere = Array.from({ length: 20 }, (_, n) => pairRow(1000 + n, { promptHash: held.promptHash }))
    const { train, overlapping } = split([...rows, ...elsewhere])
    assert.ok(train.every(({ promptHash }) => promptHash !== held.promptHash))
    assert.ok(overlapping > 0)
  })

  it('never trains on what an earlier run held out, however the data grow', () => {
    const places = ['web:only', 'web:t1', 'web:t2', 'web:t3']
    const grow = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.boolean()), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(grow, (batches) => {
        let rows: readonly Pair[] = []
        let before: HeldOut = new Set()
        const once = new Set<string>()
        for (const [count, crowded] of batches) {
          const from = rows.length
          const thread = (n: number) => (crowded ? (places[n % 4] as string) : `web:t${n}`)
          const more = pairRows(from + count, (n) => ({ thread: thread(n), people: [`web:p${n % 15}`] })).slice(from)
          rows = [...rows, ...more]
          const sides = split(rows, before)
          for (const { id } of sides.heldOut) once.add(id)
          assert.deepEqual(
            sides.train.filter(({ id }) => once.has(id)),
            [],
          )
          before = heldOutKeys(sides, before, rows)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('holds out a tenth of many people with all they judged, and nobody of few', () => {
    const voted = (people: number) => pairRows(300, (n) => ({ people: [`web:p${n % people}`, `web:q${n % people}`] }))
    assert.equal(split(voted(4)).people.size, 0)
    const { people, train } = split(voted(30))
    assert.ok(people.size > 0 && people.size < 15, `${people.size} of 60`)
    assert.ok(train.length > 150 && train.every((row) => !row.people.some((person) => people.has(person))))
  })

  it('remembers nothing of what is no longer on record', () => {
    const rows = pairRows(60)
    const keys = heldOutKeys(split(rows), new Set(), rows)
    assert.ok(keys.size > 0)
    assert.equal(heldOutKeys(split([]), keys, []).size, 0)
  })

  it('gives the same buckets for ever', () => {
    assert.deepEqual(['web:t1', 'web:t2', 'terminal:x'].map(bucket), [24, 49, 13])
  })
})

describe('the Wilson interval', () => {
  it('is what the formula gives by hand, and stays inside 0 and 1', () => {
    const [low, high] = wilson(9, 12)
    assert.ok(Math.abs(low - 0.5127) < 1e-3 && Math.abs(high - 0.8953) < 1e-3, `${low} ${high}`)
    assert.deepEqual(wilson(0, 0), [0, 1])
    assert.ok(wilson(12, 12)[1] <= 1 && wilson(0, 12)[0] >= 0)
  })
})
