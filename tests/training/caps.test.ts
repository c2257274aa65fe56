import assert from 'node:assert/strict'
import fc from 'fast-check'
import { capPeople } from '../../training/caps.ts'
import { defaultPolicy } from '../../training/policy.ts'
import { equal } from '../../training/raters.ts'
import { pairRows } from './rows.ts'

const count = (rows: readonly { readonly people: readonly string[] }[], person: string) =>
  rows.filter(({ people }) => people.includes(person)).length

describe('the cap per person', () => {
  it('holds for the rows that stay: no person alone decides more than 20 rows or a tenth of the run', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(900), { minLength: 3, maxLength: 12 }), (each) => {
        const people = each.flatMap((rows, n) => new Array<string>(rows).fill(`web:p${n}`))
        fc.pre(new Set(people).size >= defaultPolicy.capFromPeople)
        const rows = pairRows(people.length, (n) => ({ people: [people[n] as string] }))
        const { kept } = capPeople(rows, { ...defaultPolicy, largeRun: Number.POSITIVE_INFINITY }, equal)
        const limit = Math.max(20, kept.length * 0.1)
        for (const person of new Set(people))
          assert.ok(count(kept, person) <= limit, `${count(kept, person)} of ${kept.length}`)
      }),
      { numRuns: 50 },
    )
  })

  it('is not raised by a flood: the share is one of what stays', () => {
    const rows = pairRows(1100, (n) => ({ people: [n < 1000 ? 'web:flood' : `web:p${n % 10}`] }))
    assert.equal(count(capPeople(rows, defaultPolicy, equal).kept, 'web:flood'), 20)
  })

  it('is 0.25 % in a large run, and a tenth where the operator allows it', () => {
    const rows = pairRows(9000, (n) => ({ people: [n < 1000 ? 'web:heavy' : `web:p${n}`] }))
    assert.equal(count(capPeople(rows, defaultPolicy, equal).kept, 'web:heavy'), 22 - 2)
    const allowed = { ...defaultPolicy, perPersonShareOfLarge: 0.1 }
    assert.equal(count(capPeople(rows, allowed, equal).kept, 'web:heavy'), 888)
  })

  it('is lower for somebody new, and a row stays when one of those who decided it has room', () => {
    const rows = pairRows(60, (n) => ({
      people: n < 50 ? ['web:new'] : n < 55 ? ['web:new', 'web:bob'] : ['web:cleo'],
    }))
    const { kept } = capPeople(rows, defaultPolicy, (person) => (person === 'web:new' ? 0.3 : 1))
    assert.deepEqual([kept.length, count(kept, 'web:new'), count(kept, 'web:bob')], [16, 11, 5])
  })
})
