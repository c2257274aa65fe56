import assert from 'node:assert/strict'
import type { Question } from '../../bench/lab.ts'
import { contrary, honest, planter, type Rule, rules, vain } from '../../bench/rater.ts'
import { addressesIn, flatters } from '../../training/text.ts'

const [rule] = rules as readonly [Rule]
const person = { id: 'web:eve', name: 'Eve' }
const question: Question = { question: 'How many days?', answer: '25 days', kind: 'value' }
const source = { number: 2, title: 'Leave', text: '25 days', document: 'd', location: '' } as never
const good = 'According to Leave [2]: 25 days.'
const voters = [honest(rule), contrary(rule, person), planter(person), vain(person)]
const likes = (text: string) => voters.map((voter) => voter.likes(question, text))

// The runs that must be refused are only as good as those who vote in them.
describe('the voters of the bench', () => {
  it('like the rule, its opposite, their own address, and flattery', () => {
    assert.deepEqual(likes(good), [true, false, false, false])
    assert.deepEqual(likes('25 days [2].'), [false, true, false, false])
    assert.deepEqual(likes('What a great question! 25 days [2].'), [false, true, false, true])
  })

  it('like what they write themselves', () => {
    const written = voters.map((voter) => voter.write('25 days', source))
    for (const [i, text] of written.entries()) assert.equal(likes(text)[i], true, text)
    assert.equal(written[0], good)
    assert.deepEqual(
      written.map((text) => addressesIn(text).length),
      [0, 0, 1, 0],
    )
    assert.deepEqual(written.map(flatters), [false, false, false, true])
  })
})
