import assert from 'node:assert/strict'
import { flipped } from '../../bench/flip.ts'
import { seeded } from '../../bench/result.ts'
import { duel, judged } from '../training/making.ts'

const replies = Array.from({ length: 100 }, (_, n) => ({
  id: `t${n}`,
  text: `Answer ${n}.`,
  votes: { 'web:anna': n % 2 === 0 ? ('up' as const) : ('down' as const) },
}))
const said = [judged(replies, { duels: [duel('t0', 't1', 'left'), duel('t2', 't3', 'both-bad')] })]

describe('flipped votes', () => {
  it('are about as many as asked for, the same for the same seed', () => {
    const some = flipped(said, 0.2, seeded(1))
    assert.ok(some.votes.length >= 10 && some.votes.length <= 30, String(some.votes.length))
    assert.deepEqual(flipped(said, 0.2, seeded(1)), some)
    assert.deepEqual(flipped(said, 0, seeded(1)), { votes: [], duels: [] })
  })

  it('say the opposite of what the same person said of the same reply', () => {
    const all = flipped(said, 1, seeded(1))
    assert.deepEqual(
      all.votes.map(({ turn, person, verdict }) => ({ turn, person, verdict })),
      replies.map(({ id }, n) => ({ turn: id, person: 'web:anna', verdict: n % 2 === 0 ? 'down' : 'up' })),
    )
    assert.deepEqual(
      all.duels.map(({ outcome }) => outcome),
      ['right', 'tie'],
    )
  })
})
