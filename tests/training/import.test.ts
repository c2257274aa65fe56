import assert from 'node:assert/strict'
import { HoneError } from '../../src/errors.ts'
import type { Store } from '../../src/ports/store.ts'
import { sqlite } from '../../src/store/index.ts'
import { exportFeedback } from '../../training/export.ts'
import { parseRows, type RowFormat, rowFormats, toRows } from '../../training/formats.ts'
import { importFeedback } from '../../training/import.ts'

const prompt = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'When do you open?' },
]
const says = (content: string) => [{ role: 'assistant', content }]
const samples: Record<RowFormat, readonly object[]> = {
  dpo: [{ prompt, chosen: says('At nine.'), rejected: says('I could not possibly say when that might be.') }],
  rm: [{ chosen: [...prompt, ...says('At nine.')], rejected: [...prompt, ...says('Who knows what the hour is.')] }],
  kto: [
    { prompt, completion: says('At nine.'), label: true },
    { prompt: prompt.slice(1), completion: says('Never on any day at all.'), label: false },
  ],
  sft: [{ prompt, completion: says('At nine.') }],
}
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const refusal = (words: RegExp) => (error: unknown) =>
  error instanceof HoneError && error.code === 'IMPORT' && words.test(error.message)

describe('rows of feedback', () => {
  for (const format of rowFormats) {
    it(`${format}: what is written is read again, the same`, () => {
      assert.deepEqual(toRows(parseRows(lines(samples[format]), format), format), samples[format])
    })
  }

  it('take plain text for a question and its answers', () => {
    const [row] = parseRows('{"prompt":"Hi","chosen":"Hello!","rejected":"What?"}', 'dpo')
    assert.deepEqual(row, {
      kind: 'preference',
      prompt: [{ role: 'user', content: 'Hi' }],
      chosen: 'Hello!',
      rejected: 'What?',
    })
  })

  it('name the line and the field that is wrong', () => {
    const good = lines(samples.dpo)
    assert.throws(
      () => parseRows(`${good}\n{"prompt":"x","rejected":"y"}`, 'dpo'),
      refusal(/^line 3: "chosen" is missing$/),
    )
    assert.throws(() => parseRows(`${good}nonsense`, 'dpo'), refusal(/^line 2: is no JSON$/))
    assert.throws(() => parseRows('[]', 'dpo'), refusal(/^line 1: is no JSON object$/))
    assert.throws(() => parseRows('{"prompt":"x","completion":"y","label":1}', 'kto'), refusal(/"label" is neither/))
    assert.throws(() => parseRows('{"prompt":"x","completion":"  "}', 'sft'), refusal(/"completion" is empty/))
    assert.throws(
      () => parseRows('{"prompt":[{"role":"assistant","content":"x"}],"completion":"y"}', 'sft'),
      refusal(/"prompt" does not end/),
    )
  })

  it('count the other wrong lines', () => {
    assert.throws(() => parseRows('{}\n{}\n{}', 'sft'), refusal(/^line 1: "prompt" is missing \(and 2 more\)$/))
  })

  it('refuse a reward row whose prompts differ', () => {
    const [row] = samples.rm as [{ chosen: object[]; rejected: object[] }]
    const other = { ...row, rejected: row.rejected.slice(1) }
    assert.throws(() => parseRows(lines([other]), 'rm'), refusal(/"rejected" has another prompt/))
  })

  it('say a preference in every format', () => {
    const rows = parseRows(lines(samples.dpo), 'dpo')
    assert.deepEqual(
      rowFormats.map((format) => toRows(rows, format).length),
      [1, 2, 1, 1],
    )
  })
})

describe('importing feedback', () => {
  let store: Store
  beforeEach(async () => {
    store = await sqlite(':memory:')
  })
  afterEach(() => store[Symbol.asyncDispose]())

  for (const format of rowFormats) {
    it(`${format}: what was imported is exported, the same`, async () => {
      const rows = parseRows(lines(samples[format]), format)
      assert.deepEqual(await importFeedback(store, rows), { added: rows.length, known: 0 })
      assert.deepEqual(await exportFeedback(store, format, ['import']), samples[format])
    })

    it(`${format}: a second time adds nothing`, async () => {
      const rows = parseRows(lines(samples[format]), format)
      await importFeedback(store, rows)
      assert.deepEqual(await importFeedback(store, rows), { added: 0, known: rows.length })
      assert.deepEqual(await exportFeedback(store, format, ['import']), samples[format])
    })
  }

  it('judges what a crash left unjudged', async () => {
    const rows = parseRows(lines(samples.dpo), 'dpo')
    const torn: Store = { ...store, feedback: { ...store.feedback, duel: () => Promise.reject(new Error('killed')) } }
    await assert.rejects(importFeedback(torn, rows), /killed/)
    assert.deepEqual(await importFeedback(store, rows), { added: 1, known: 0 })
    assert.deepEqual(await exportFeedback(store, 'dpo', ['import']), samples.dpo)
  })

  it('exports only the channels that are named', async () => {
    await importFeedback(store, parseRows(lines(samples.dpo), 'dpo'))
    assert.deepEqual(await exportFeedback(store, 'dpo', ['web']), [])
  })
})
