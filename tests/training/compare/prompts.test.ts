import assert from 'node:assert/strict'
import { laidOut, type Prompt } from '../../../training/compare/prompts.ts'
import { type Layout, techniques } from '../../../training/compare/techniques.ts'
import { teller } from '../../../training/compare/told.ts'
import { pairRow, pairRows } from '../rows.ts'

const system = { role: 'system', content: 'You are the desk.' } as const
const prompt: Prompt = [
  system,
  { role: 'user', content: 'Example?' },
  { role: 'assistant', content: 'As an example.' },
  { role: 'user', content: '[1] Leave\n25 days.\n\nNearest:\n25 days. [1]\n\nHow long?' },
  { role: 'assistant', content: '25 days [1].' },
  { role: 'user', content: '<facts>\nplan: gold\n</facts>\n\n[2] Trips\nBy train.\n\nAnd trips?' },
]
const told: Prompt = [
  { role: 'user', content: 'Meals?' },
  { role: 'assistant', content: 'At noon.' },
]
const layoutOf = (id: string) => techniques.find((one) => one.id === id)?.layout as Layout
const as = (id: string) => laidOut(prompt, layoutOf(id), { exampleMessages: 2, told })

describe('a held-out prompt', () => {
  it('is as people judged it for the base and for what is trained alone', () => {
    for (const id of ['base', 'sft', 'dpo', 'kto', 'rl', 'explain']) assert.deepEqual(as(id), prompt)
  })

  it('loses hidden prompts, examples and facts of the profile, and no passage, without prompt tuning', () => {
    assert.deepEqual(as('no-profile'), [
      prompt[3],
      prompt[4],
      { role: 'user', content: '[2] Trips\nBy train.\n\nAnd trips?' },
    ])
  })

  it('loses passages of every turn, and nothing else, without RAG', () => {
    assert.deepEqual(as('no-passages'), [
      ...prompt.slice(0, 3),
      { role: 'user', content: 'How long?' },
      prompt[4],
      { role: 'user', content: '<facts>\nplan: gold\n</facts>\n\nAnd trips?' },
    ])
  })

  it('is the bare conversation for the model alone', () => {
    assert.deepEqual(
      as('bare').map(({ content }) => content),
      ['How long?', '25 days [1].', 'And trips?'],
    )
  })

  it('has learned examples just before the question, and the wish for reasons in the system message', () => {
    assert.deepEqual(as('dpo+examples'), [...prompt.slice(0, -1), ...told, ...prompt.slice(-1)])
    assert.match(as('explained')[0]?.content ?? '', /^You are the desk\.\n\n\S/)
  })
})

describe('learned examples of a comparison', () => {
  const number = (text: string) => Number(/\d+/.exec(text)?.[0] ?? 0)
  // Near numbers are near questions.
  const embed = async (texts: readonly string[]) =>
    texts.map((text) => new Float32Array([Math.cos(number(text) / 20), Math.sin(number(text) / 20)]))
  const asked = pairRow(10)
  const tellOf = (of: 'own' | 'tenant', more: Parameters<typeof pairRows>[1] = () => ({})) =>
    teller({ selection: { train: pairRows(9, more), unpaired: [] }, questions: [asked.prompt], embed, of })

  it('are the two nearest of the training side, the nearest last, without their passages', async () => {
    const tell = await tellOf('own')
    assert.deepEqual(
      tell(asked.prompt, asked).map(({ content }) => content),
      ['Question 7?', 'Answer 7: 25 days [1].', 'Question 8?', 'Answer 8: 25 days [1].'],
    )
  })

  it('are the asker’s own alone, unless the profile tells those of the tenant; never another tenant’s', async () => {
    const others = () => ({ people: ['web:bert'] })
    assert.deepEqual((await tellOf('own', others))(asked.prompt, asked), [])
    assert.equal((await tellOf('tenant', others))(asked.prompt, asked).length, 4)
    assert.deepEqual((await tellOf('tenant', () => ({ tenant: 'slack:T1' })))(asked.prompt, asked), [])
  })
})
