import assert from 'node:assert/strict'
import { pairsOf, undecidedOf } from '../../training/pairs.ts'
import { agreementOf, equal, type Judgement, judgementsOf, newcomerWeight, standingOf } from '../../training/raters.ts'
import { at, duel, judged } from './making.ts'

const day = 86_400_000
const says = (person: string, verdict: string, about = 'a', days = 0): Judgement => ({
  person,
  verdict,
  about,
  at: new Date(at.getTime() + days * day),
})
/** Judged five things, from `from` days on. */
const five = (person: string, from: number) => [0, 0, 0, 0, 1].map((more) => says(person, 'up', 'a', from + more))

describe('standing', () => {
  it('is full after five judgements over a week, and less before', () => {
    const standing = standingOf([
      ...five('anna', 0),
      ...five('bob', 7),
      ...[0, 10].map((d) => says('cleo', 'up', 'a', d)),
    ])
    assert.deepEqual(['anna', 'bob', 'cleo'].map(standing), [1, newcomerWeight, newcomerWeight])
  })

  it('is the same for all where everybody is new, and never less for what the operator imported', () => {
    assert.equal(standingOf([...five('anna', 0), ...five('bob', 1)]), equal)
    assert.equal(standingOf([...five('anna', 0), ...five('bob', 9)])('import'), 1)
  })

  it('decides which thumbs are the majority: three new accounts do not outvote one person who stayed', () => {
    const prompt = judged([
      { id: 'a', text: 'Twenty-five days [1].', votes: { anna: 'up', x: 'down', y: 'down', z: 'down' } },
      { id: 'b', text: 'No idea.', votes: { anna: 'down' } },
    ])
    const standing = (person: string) => (person === 'anna' ? 1 : newcomerWeight)
    assert.deepEqual(pairsOf(prompt), [])
    assert.deepEqual(pairsOf(prompt, standing)[0]?.people, ['anna'])
  })
})

describe('agreement', () => {
  it('is measured on what was judged more than once, by others or again in another thread', () => {
    const all = [says('anna', 'up'), says('bob', 'up'), says('anna', 'down'), says('cleo', 'up', 'b')]
    assert.deepEqual(agreementOf(all), { repeats: 3, share: 1 / 3 })
    assert.deepEqual(agreementOf([says('anna', 'up')]), { repeats: 0 })
  })

  it('knows the same reply to the same prompt again, and who won a duel wherever it stood', () => {
    const first = judged([{ id: 'a', text: 'Yes.', votes: { anna: 'up' } }])
    const later = judged([{ id: 'b', text: 'Yes. ', votes: { bob: 'down' } }], { thread: 'web:t2' })
    assert.equal(agreementOf([first, later].flatMap(judgementsOf)).share, 0)
    const sides = [
      { id: 'l', text: 'Long.' },
      { id: 'r', text: 'Short.' },
    ]
    const duels = [duel('l', 'r', 'left', 'anna'), duel('r', 'l', 'right', 'bob'), duel('l', 'r', 'tie', 'cleo')]
    assert.deepEqual(agreementOf(judgementsOf(judged(sides, { duels }))), { repeats: 1, share: 1 })
  })
})

describe('what decides nothing', () => {
  it('is counted by why', () => {
    const replies = [
      { id: 'a', text: 'Yes.', votes: { anna: 'up', bob: 'down' } },
      { id: 'b', text: 'No.', votes: { anna: 'up' } },
      { id: 'c', text: 'Maybe.', votes: { anna: 'none' } },
    ] as const
    const duels = [duel('a', 'b', 'tie'), duel('a', 'b', 'both-bad', 'bob'), duel('a', 'b', 'left', 'cleo')]
    assert.deepEqual(undecidedOf(judged(replies, { duels })), { 'thumbs are even': 1, 'duel without a winner': 2 })
  })
})
