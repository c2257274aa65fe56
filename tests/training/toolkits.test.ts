import assert from 'node:assert/strict'
import { parse } from 'yaml'
import type { FeedbackRow } from '../../training/formats.ts'
import { toolkitFiles } from '../../training/toolkits.ts'

const prompt = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello?' },
  { role: 'user', content: 'How long?' },
] as const
const rows: readonly FeedbackRow[] = [
  { kind: 'preference', prompt, chosen: '25 days.', rejected: 'Long.' },
  { kind: 'rated', prompt, completion: 'No idea.', label: false },
]
const lines = (text = '') =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('an export for LLaMA-Factory', () => {
  const files = toolkitFiles('llama-factory', rows, '')
  const conversations = [
    { from: 'system', value: 'Be brief.' },
    { from: 'human', value: 'Hello?\n\nHow long?' },
  ]

  it('has pairs and ratings with its tags, a person and the assistant in turn', () => {
    const [chosen, rejected, other] = ['25 days.', 'Long.', 'No idea.'].map((value) => ({ from: 'gpt', value }))
    assert.deepEqual(lines(files['hone_dpo.jsonl']), [{ conversations, chosen, rejected }])
    assert.deepEqual(lines(files['hone_kto.jsonl']), [
      { conversations: [...conversations, chosen], kto_tag: true },
      { conversations: [...conversations, rejected], kto_tag: false },
      { conversations: [...conversations, other], kto_tag: false },
    ])
    assert.deepEqual(lines(files['hone_sft.jsonl']), [{ conversations: [...conversations, chosen] }])
  })

  it('tells the loader where they are and which column is what', () => {
    const info = JSON.parse(files['dataset_info.json'] ?? '')
    assert.deepEqual(
      [info.hone_dpo.ranking, info.hone_dpo.formatting, info.hone_kto.columns.kto_tag],
      [true, 'sharegpt', 'kto_tag'],
    )
    assert.deepEqual(
      Object.values(info).map((one) => (one as { file_name: string }).file_name in files),
      [true, true, true],
    )
  })

  it('leaves out kinds of rows that there are none of', () => {
    const bare = toolkitFiles('llama-factory', rows.slice(1), '')
    assert.deepEqual(Object.keys(bare), ['hone_kto.jsonl', 'dataset_info.json'])
    assert.deepEqual(Object.keys(JSON.parse(bare['dataset_info.json'] ?? '')), ['hone_kto'])
  })
})

describe('an export for Axolotl', () => {
  it('has messages, chosen and rejected, and a configuration that reads them', () => {
    const files = toolkitFiles('axolotl', rows, '/models/base')
    const [row] = lines(files['hone_dpo.jsonl'])
    assert.deepEqual(row, {
      messages: prompt,
      chosen: { role: 'assistant', content: '25 days.' },
      rejected: { role: 'assistant', content: 'Long.' },
    })
    const config = parse(files['axolotl.yaml'] ?? '')
    assert.deepEqual(
      [config.base_model, config.rl, config.datasets[0].type],
      ['/models/base', 'dpo', 'chat_template.default'],
    )
    assert.ok(config.datasets[0].path in files)
    for (const field of ['field_messages', 'field_chosen', 'field_rejected'])
      assert.ok(config.datasets[0][field] in row)
  })
})
