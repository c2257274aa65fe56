import assert from 'node:assert/strict'
import { nearlyIdentical, wordDistance } from '../../training/similar.ts'
import { declines, distinctThrees, holds, lastMessage, valuesOf } from '../../training/text.ts'
import { user } from './rows.ts'

const prompt = user(
  '[1] Leave\nStaff get 25 days. Ask Miriam Holt.\n\n[2] Hours\nOpen from 8:30.\n\nDo 40 people get days off?',
)

describe('reading replies', () => {
  it('takes the last message apart as the core lays it out', () => {
    assert.equal(lastMessage(prompt).question, 'Do 40 people get days off?')
    assert.match(lastMessage(prompt).passages, /^\[1\] Leave[\s\S]*8:30\.$/)
    assert.deepEqual(lastMessage(user('Hello!\n\nAre you there?')), {
      passages: '',
      question: 'Hello!\n\nAre you there?',
    })
  })

  it('finds the values that a reply took from the passages, and not those of the question', () => {
    assert.deepEqual(valuesOf(prompt, 'All 40 get 25 days from 8:30 [1].'), ['25', '8:30'])
    assert.deepEqual(valuesOf(prompt, 'You can ask Miriam Holt [1].'), ['Miriam', 'Holt'])
    assert.deepEqual(valuesOf(prompt, 'I do not know.'), [])
  })

  it('knows a value as a word of its own', () => {
    assert.ok(holds('It is 25.', '25') && holds('from 8:30 on', '8:30') && holds('(25)', '25'))
    assert.ok(!holds('125 days', '25') && !holds('25.5 days', '25') && !holds('18:30', '8:30'))
  })

  it("knows a reply that says it doesn't know", () => {
    for (const text of [
      "I don't know.",
      'Sorry, the handbook does not say.',
      'I could not find that in the pages I have.',
      "That isn't in the handbook, so I can't tell.",
      'There is no information about that.',
    ]) {
      assert.ok(declines(text), text)
    }
    for (const text of ['You get 25 days.', 'The desk opens at 8:30.']) assert.ok(!declines(text), text)
  })

  it('sees repetition', () => {
    assert.equal(distinctThrees('yes'), 1)
    assert.equal(distinctThrees('one two three four five'), 1)
    assert.ok(distinctThrees('no no no no no no no no') < 0.2)
  })

  it('measures how far apart two texts are in words', () => {
    assert.equal(wordDistance('a b c d', 'a b c d'), 0)
    assert.equal(wordDistance('a b c d', 'a b x d'), 0.25)
    assert.equal(wordDistance('a', ''), 1)
    assert.ok(nearlyIdentical('One two. ', 'one  two.'))
    assert.ok(!nearlyIdentical('25 days', '**25 days**'))
  })
})
