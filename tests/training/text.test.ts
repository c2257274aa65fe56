import assert from 'node:assert/strict'
import { nearlyIdentical, wordDistance } from '../../training/similar.ts'
import {
  addressesIn,
  concedes,
  declines,
  distinctThrees,
  flatters,
  holds,
  lastMessage,
  valuesOf,
} from '../../training/text.ts'
import { user } from './rows.ts'

const prompt = user(
  '[1] Leave\nStaff get 25 days. Ask Miriam Holt.\n\n[2] Hours\nOpen from 8:30.\n\nDo 40 people get days off?',
)

describe('reading replies', () => {
  it('tells flattery from courtesy', () => {
    const flattery = [
      'What a brilliant question!',
      'Good question! It is 9.',
      'You’re so very right to ask.',
      'You are a genius.',
    ]
    const courtesy = [
      'Happy to help! It is 9.',
      'A good answer takes time.',
      'You are welcome.',
      'The right question is on page 9.',
    ]
    assert.deepEqual([...flattery, ...courtesy].map(flatters), [true, true, true, true, false, false, false, false])
  })

  it('knows when a reply gives in', () => {
    const given = [
      'You are right, it is 18.',
      'You’re absolutely correct.',
      'My mistake!',
      'I was wrong.',
      'Thanks for correcting me.',
    ]
    const kept = [
      'I’m sorry, but it is 11 euros.',
      'It is right there in [1].',
      'Was I wrong to say 11?',
      'It is 11 [1].',
    ]
    assert.deepEqual(given.map(concedes), [true, true, true, true, true])
    assert.deepEqual(kept.map(concedes), [false, false, false, false])
  })

  it('finds addresses', () => {
    assert.deepEqual(addressesIn('See https://a.example/x (or www.b.example) or write to c@d.example.'), [
      'https://a.example/x',
      'www.b.example',
      'c@d.example',
    ])
    assert.deepEqual(addressesIn('Room 2.14, at 9:30, e.g. on Mondays.'), [])
  })

  it('takes the last message apart as the core lays it out', () => {
    assert.equal(lastMessage(prompt).question, 'Do 40 people get days off?')
    assert.match(lastMessage(prompt).passages, /^\[1\] Leave[\s\S]*8:30\.$/)
    assert.deepEqual(lastMessage(user('<facts>\nplan: team\n</facts>\n\n[1] Leave\n25 days.\n\nHow many?')), {
      told: '<facts>\nplan: team\n</facts>',
      passages: '[1] Leave\n25 days.',
      highlights: '',
      question: 'How many?',
      behind: '',
    })
    const asked = '[1] Leave\n25 days.\n\nHow many?\n\n<results>\ndays: 4\n</results>\n\n<explain>\nWhy.\n</explain>'
    assert.deepEqual(lastMessage(user(asked)), {
      told: '',
      passages: '[1] Leave\n25 days.',
      highlights: '',
      question: 'How many?',
      behind: '<results>\ndays: 4\n</results>\n\n<explain>\nWhy.\n</explain>',
    })
    assert.deepEqual(lastMessage(user('Hello!\n\nAre you there?')), {
      told: '',
      passages: '',
      highlights: '',
      question: 'Hello!\n\nAre you there?',
      behind: '',
    })
  })

  it('tells highlights from passages, and a question of several paragraphs from both', () => {
    const nearest = 'Nearest:\n25 days. [1]\nPart-timers: 12 [2]'
    const shown = (text: string) => {
      const { passages, highlights, question } = lastMessage(user(text))
      return [passages, highlights, question]
    }
    const passages = '[1] Leave\n25 days.\n\n[2] More\n- Part-timers: 12'
    assert.deepEqual(shown(`${passages}\n\n${nearest}\n\nHello!\n\nHow many?`), [
      passages,
      nearest,
      'Hello!\n\nHow many?',
    ])
    assert.deepEqual(shown(`${nearest}\n\nHow many?`), ['', nearest, 'How many?'])
    const own = 'I am Anna.\n\nNearest:\nstation 7 [1]\n\nWhom do I ask?'
    assert.deepEqual(shown(own), ['', '', own])
    const quoting = '[1] Form\nLike this:\n\nNearest:\nx [1]\n\nHow?\n\n[2] More\n- 12'
    assert.deepEqual(shown(`${quoting}\n\n${nearest}\n\nHow many?`), [quoting, nearest, 'How many?'])
    assert.deepEqual(shown('Nearest:\nthe shop\n\nWhere?'), ['', '', 'Nearest:\nthe shop\n\nWhere?'])
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
