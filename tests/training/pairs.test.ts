import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pairsOf, unpairedOf } from '../../training/pairs.ts'
import { at, duel, judged, type Said } from './making.ts'

const sides = (said: readonly Said[], more = {}) =>
  pairsOf(judged(said, more)).map(({ chosen, rejected }) => [chosen, rejected])

describe('pairs', () => {
  it('a liked reply beats a disliked sibling', () => {
    const [pair] = pairsOf(
      judged([
        { id: 'a', text: 'Twenty-five days [1].', votes: { anna: 'up' } },
        { id: 'b', text: 'No idea.', votes: { bob: 'down' } },
      ]),
    )
    assert.equal(pair?.chosen, 'Twenty-five days [1].')
    assert.equal(pair?.rejected, 'No idea.')
    assert.equal(pair?.origin, 'votes')
    assert.deepEqual(pair?.people, ['anna', 'bob'])
    assert.deepEqual([pair?.chosenTurn, pair?.rejectedTurn], ['a', 'b'])
  })

  it('a lone thumb is no pair but is kept as unpaired', () => {
    const lone = judged([{ id: 'a', text: 'No idea.', votes: { anna: 'down' } }])
    assert.deepEqual(pairsOf(lone), [])
    assert.deepEqual(
      unpairedOf(lone).map(({ turn, liked }) => [turn, liked]),
      [['a', false]],
    )
  })

  it('two liked replies, or a liked one and one nobody judged, make no pair', () => {
    const liked = { id: 'a', text: 'Twenty-five days.', votes: { anna: 'up' } } as const
    assert.deepEqual(sides([liked, { id: 'b', text: 'You get 25 days.', votes: { anna: 'up' } }]), [])
    assert.deepEqual(sides([liked, { id: 'b', text: 'You get 25 days.' }]), [])
  })

  it('a tied reply is on no side', () => {
    const tied = { id: 'a', text: 'Twenty-five days.', votes: { anna: 'up', bob: 'down' } } as const
    assert.deepEqual(sides([tied, { id: 'b', text: 'No idea.', votes: { bob: 'down' } }]), [])
  })

  it('a withdrawn vote counts for nothing', () => {
    const withdrawn = { id: 'a', text: 'Twenty-five days.', votes: { anna: 'none' } } as const
    assert.deepEqual(sides([withdrawn, { id: 'b', text: 'No idea.', votes: { bob: 'down' } }]), [])
  })

  it('only the last vote of a person counts', () => {
    const base = judged([
      { id: 'a', text: 'Twenty-five days.', votes: { anna: 'up' } },
      { id: 'b', text: 'No idea.', votes: { anna: 'down' } },
    ])
    const changed = base.replies.map((reply) => ({
      ...reply,
      votes: [...reply.votes, { turn: 'a', person: 'anna', verdict: 'none' as const, at: new Date(at.getTime() + 1) }],
    }))
    assert.equal(pairsOf({ ...base, replies: changed }).length, 0)
  })

  it('a correction beats the reply it corrects and every disliked sibling, and its text stays as written', () => {
    const found = sides([
      { id: 'a', text: 'You get 20 days.', corrections: { anna: '25 days,  says *Leave* [1].\n' } },
      { id: 'b', text: 'No idea.', votes: { bob: 'down' } },
    ])
    assert.deepEqual(found, [
      ['25 days,  says *Leave* [1].\n', 'You get 20 days.'],
      ['25 days,  says *Leave* [1].\n', 'No idea.'],
    ])
  })

  it('a number that was corrected is a real difference', () => {
    const long = 'Everybody who works here full time gets 20 days of paid vacation in each calendar year of work.'
    assert.equal(sides([{ id: 'a', text: long, corrections: { anna: long.replace('20', '25') } }]).length, 1)
  })

  it("a duel's winner beats its loser; a tie and both bad say nothing", () => {
    const said = [
      { id: 'a', text: 'Twenty-five days.' },
      { id: 'b', text: 'No idea.' },
    ]
    assert.deepEqual(sides(said, { duels: [duel('a', 'b', 'right')] }), [['No idea.', 'Twenty-five days.']])
    assert.deepEqual(sides(said, { duels: [duel('a', 'b', 'tie'), duel('a', 'b', 'both-bad')] }), [])
  })

  it('texts that say the same never make a pair', () => {
    const up = (text: string) => ({ id: 'a', text, votes: { anna: 'up' } }) as const
    const down = { id: 'b', text: 'You get 25 days.', votes: { bob: 'down' } } as const
    assert.deepEqual(sides([up('You get 25 days.'), down]), [])
    assert.deepEqual(sides([up(' you get  25 days.\n'), down]), [])
    assert.deepEqual(sides([up('   '), down]), [])
  })

  it('imported preferences keep their origin', () => {
    const said = [
      { id: 'a', text: 'Twenty-five days.', votes: { anna: 'up' } },
      { id: 'b', text: 'No idea.', votes: { bob: 'down' } },
    ] as const
    assert.equal(pairsOf(judged(said, { channel: 'import' }))[0]?.origin, 'import')
  })

  it('whatever people do, the two sides of a pair differ and belong to the prompt that was judged', () => {
    fc.assert(
      fc.property(anyJudged, (random) => {
        const turns = new Set(random.replies.map(({ turn }) => turn.id))
        const edits = new Set(random.replies.flatMap(({ corrections }) => corrections.map(({ id }) => id)))
        for (const pair of pairsOf(random)) {
          assert.equal(pair.promptHash, random.promptHash)
          assert.notEqual(pair.chosenTurn, pair.rejectedTurn)
          assert.notEqual(pair.chosen.trim(), pair.rejected.trim())
          assert.ok(turns.has(pair.chosenTurn) || edits.has(pair.chosenTurn))
          assert.ok(turns.has(pair.rejectedTurn))
        }
      }),
    )
  })

  it('a reply is never both in a pair and unpaired', () => {
    fc.assert(
      fc.property(anyJudged, (random) => {
        const used = new Set(pairsOf(random).flatMap(({ chosenTurn, rejectedTurn }) => [chosenTurn, rejectedTurn]))
        for (const { turn } of unpairedOf(random)) assert.ok(!used.has(turn))
      }),
    )
  })
})

const verdict = fc.constantFrom('up', 'down', 'none')
const text = fc.constantFrom('25 days.', 'No idea.', '', 'Ask again.', '25  days.', 'You get 25 days of vacation.')
const votes = fc.dictionary(fc.constantFrom('anna', 'bob', 'cleo'), verdict, { noNullPrototype: true })
const corrections = fc.dictionary(fc.constantFrom('anna', 'bob'), text, { noNullPrototype: true, maxKeys: 2 })
const outcome = fc.constantFrom('left', 'right', 'tie', 'both-bad')
const anyJudged = fc
  .record({
    said: fc.array(fc.record({ text, votes, corrections }), { minLength: 1, maxLength: 5 }),
    duels: fc.array(fc.tuple(fc.nat(5), fc.nat(5), outcome), { maxLength: 3 }),
    promptHash: fc.string(),
  })
  .map(({ said, duels, promptHash }) =>
    judged(
      said.map((reply, i) => ({ id: `t${i}`, ...reply })),
      { promptHash, duels: duels.map(([left, right, how]) => duel(`t${left}`, `t${right}`, how)) },
    ),
  )
