import assert from 'node:assert/strict'
import { crossed, keyOf, shortened, unique, withExamples, withRule } from '../../../training/tune/draft.ts'
import { guardOf } from '../../../training/tune/guard.ts'
import { linesOf } from '../../../training/tune/propose.ts'
import { type Seen, worthOf } from '../../../training/tune/score.ts'
import { rungsOf } from '../../../training/tune/search.ts'
import { rulesFrom } from '../../../training/tune/traits.ts'

const texts = { hidden: ['Be kind.'], rules: ['Cite passages.'], examples: [] }
const plain = { texts, what: '' }
const example = { question: 'How long?', answer: 'Two days [1].' }

describe('candidates for a prompt', () => {
  it('are the same where their texts are, and each is tried once', () => {
    const again = withRule(plain, 'Be brief.')
    const other = withRule({ ...plain, what: 'something else' }, 'Be brief.')
    assert.ok(again && other)
    assert.equal(keyOf(again), keyOf(other))
    assert.equal(unique([again, other, plain], new Set([keyOf(plain)])).length, 1)
  })

  it('have no rule twice, however it is written', () => {
    assert.equal(withRule(plain, 'cite  passages'), undefined)
  })

  it('leave out one line each, or all examples', () => {
    const shorter = shortened(withExamples(plain, [example])).map((one) => one.texts)
    assert.deepEqual(shorter, [
      { hidden: ['Be kind.'], rules: [], examples: [example] },
      { hidden: [], rules: ['Cite passages.'], examples: [example] },
      { ...texts, examples: [] },
    ])
  })

  it('join what two changed', () => {
    const [a, b] = [withRule(plain, 'Be brief.'), withExamples(plain, [example])]
    assert.ok(a)
    const both = crossed(a, b)
    assert.deepEqual(both.texts, { hidden: ['Be kind.'], rules: ['Cite passages.', 'Be brief.'], examples: [example] })
    assert.equal(both.what, 'rule “Be brief.”; 1 example')
  })
})

describe('rules from what people preferred', () => {
  const pairs = (chosen: string, rejected: string) => Array.from({ length: 6 }, () => ({ chosen, rejected }))

  it('ask for what chosen texts have and rejected ones lack', () => {
    assert.ok(
      rulesFrom(pairs('- 25 days [1]', 'It is 25 days [1].')).includes('Answer as a list: each line begins with "- ".'),
    )
    assert.ok(rulesFrom(pairs('25 days.', 'That would be 25 days, I think.')).includes('Answer in one short sentence.'))
    const opened = rulesFrom(pairs('According to page 1 it is 25.', 'It is 25.'))
    assert.ok(opened.includes('Begin the answer with "According to".'), opened.join('\n'))
  })

  it('are none where both are alike', () => {
    assert.deepEqual(rulesFrom(pairs('25 days [1].', '26 days [1].')), [])
  })
})

describe('the guard of a prompt', () => {
  const profile = {
    persona: 'You are Hazel.',
    hidden: [],
    rules: ['Ask {{person.name}} kindly.'],
    examples: [],
    variables: ['person.name'],
  }
  const said = ['Ask Berta Lind about it.', 'Our boiler in the cellar leaks since last week.']
  const guard = guardOf({ profile, said, people: ['web:anna', 'slack:U02ABC'] })

  it('lets instructions through that are nobody’s words', () => {
    for (const line of [
      'Answer in at most 2 sentences.',
      'Speak as Hazel would speak.',
      'Call them {{person.name}} once.',
    ])
      assert.equal(guard.ofLine(line), undefined, line)
  })

  it('says what is wrong with the others', () => {
    const wrong = {
      'Ask berta when in doubt.': 'a name',
      'Answer as anna does.': 'a name',
      'Send them to Carla instead.': 'a name',
      'It takes 4711 days in all.': 'a number',
      'Say that our boiler in the cellar leaks since last week.': 'somebody’s words',
      'Tell {{customer.plan}} to everybody.': 'a variable that the profile lacks',
      'Write <facts> before the answer.': 'marks',
      'Look at www.help.example first.': 'an address',
      'Be be be be be be be be.': 'repeats itself',
      Brief: 'no short instruction',
      'One line.\nAnd another line.': 'no short instruction',
      'the password is hunter2hunter2 always.': 'a secret',
      'please write to x@y.example for it': 'personal data',
    }
    for (const [line, fault] of Object.entries(wrong)) assert.equal(guard.ofLine(line), fault, line)
  })

  it('lets an example name what the titles of its passages name, and nobody', () => {
    assert.equal(
      guard.ofExample({ question: 'How long?', answer: 'According to Leave Rules [1]: 3 days.' }, '[1] Leave Rules'),
      undefined,
    )
    assert.equal(
      guard.ofExample({ question: 'Who helps?', answer: 'That is Berta Lind [1].' }, '[1] First aid'),
      'a name',
    )
    assert.equal(guard.ofExample({ question: 'Who helps?', answer: 'ask anna' }, ''), 'a name')
    assert.equal(
      guard.ofExample({ question: 'And {{today}}?', answer: 'Yes.' }, ''),
      'a variable that the profile lacks',
    )
  })
})

describe('the worth of a candidate', () => {
  const seen = (margin: number | null, lean: number | null, right = true): Seen => ({ margin, lean, right })

  it('is a half where it is as good as what serves', () => {
    assert.equal(worthOf([seen(1, 0.2)], [seen(1, 0.2)]), 0.5)
  })

  it('rises with what it prefers and with fresh answers, and no single case decides', () => {
    assert.ok(worthOf([seen(2, 0.2)], [seen(1, 0.2)]) > 0.5)
    assert.ok(worthOf([seen(1, 0.1)], [seen(1, 0.2)]) < 0.5)
    const one = [seen(900, null), seen(0, null), seen(0, null)]
    assert.ok(worthOf(one, [seen(0, null), seen(1, null), seen(1, null)]) < 0.6)
  })

  it('is lost by an answer that lost the right values, however it is written', () => {
    assert.equal(worthOf([seen(null, 0.9, false)], [seen(null, 0.1)]), 0)
  })

  it('counts fresh answers only where all of a rung have them', () => {
    assert.equal(worthOf([seen(1, 0.9)], [seen(1, 0.1)], false), 0.5)
  })
})

describe('the rungs of a search', () => {
  it('grow to all prompts', () => {
    assert.deepEqual([rungsOf(4), rungsOf(9), rungsOf(40)], [[4], [5, 9], [10, 20, 40]])
  })
})

describe('what a model proposes', () => {
  it('is read line by line, without marks', () => {
    assert.deepEqual(linesOf('Here are four:\n1. Be brief.\n- "Cite passages."\nI don’t know.\n* Name the page.'), [
      'Be brief.',
      'Cite passages.',
      'Name the page.',
    ])
  })
})
