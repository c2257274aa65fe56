import assert from 'node:assert/strict'
import { applyPolicy, defaultPolicy } from '../../training/policy.ts'
import { asked } from './making.ts'
import { loneRow, pairRow } from './rows.ts'

const long = (days: number, last = 'first.') =>
  `Everybody who works here full time gets ${days} days of paid vacation in each calendar year [1], as the handbook says, and may carry five of them over to March of the next year if their team lead agrees ${last}`
const rows = (...more: readonly Parameters<typeof pairRow>[1][]) =>
  more.map((row, n) => pairRow(n, { prompt: asked('How many days?'), chosen: long(25), rejected: 'No idea.', ...row }))
const outcome = (all: readonly ReturnType<typeof pairRow>[]) => {
  const { kept, leftOut } = applyPolicy(all, defaultPolicy)
  return [kept.map(({ id }) => id), leftOut]
}

describe('near-duplicates', () => {
  it('are one row, the newest: the same question, passages and replies but for a word', () => {
    const again = { chosen: long(25, 'before.'), prompt: asked('how many  days') }
    assert.deepEqual(outcome(rows({}, again)), [['pair_1'], { duplicate: 1 }])
  })

  it('are not those that differ in a number, in the question, or in the passages', () => {
    const other = asked('How many days?').map(({ role, content }) => ({
      role,
      content: content.replace('Leave', 'Law'),
    }))
    const all = rows({}, { chosen: long(30) }, { prompt: asked('How many days in March?') }, { prompt: other })
    assert.deepEqual(outcome(all)[1], {})
  })
})

describe('conflicts', () => {
  it('are dropped, both sides, also when the texts differ in a word', () => {
    const opposite = { chosen: 'No idea.', rejected: long(25, 'before.') }
    assert.deepEqual(outcome(rows({}, opposite)), [[], { contradicted: 2 }])
    const lone = [
      loneRow(0, { text: long(25), liked: true }),
      loneRow(0, { id: 'b', text: long(25, 'now.'), liked: false }),
    ]
    assert.deepEqual(applyPolicy(lone, defaultPolicy).leftOut, { contradicted: 2 })
  })

  it('are not made by rows that may not be used', () => {
    const opposite = { chosen: 'No idea.', rejected: long(25), channel: 'slack' }
    assert.deepEqual(outcome(rows({}, opposite)), [['pair_0'], { 'channel not allowed': 1 }])
  })
})
