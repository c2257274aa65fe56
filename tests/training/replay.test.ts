import assert from 'node:assert/strict'
import { makeReplay } from '../../training/replay.ts'
import type { Selection } from '../../training/select.ts'
import { declines, lastMessage } from '../../training/text.ts'
import { fakeSlot, type Script } from '../fakes/engine.ts'
import { loneRow, pairRows } from './rows.ts'

const base = { id: 'v0', base: 'base.gguf' }
const selection: Selection = {
  method: 'dpo',
  train: pairRows(48, (n) => ({
    prompt: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: `[1] Page ${n}\nThe code is ${n}.\n\nWhat is code ${n}?` },
    ],
  })),
  heldOut: pairRows(60).slice(48),
  unpaired: [],
  leftOut: {},
  notes: [],
  splitBy: 'thread',
  heldOutKeys: new Set(),
}
const reads: Script['answer'] = (_version, prompt) => {
  const text = prompt.at(-1)?.content ?? ''
  const [, page] = /Page (\d+)/.exec(text) ?? []
  const [, asked] = /What is code (\d+)/.exec(text) ?? []
  if (asked === undefined) return { text: `Hello! You said: ${text}` }
  return { text: page === asked ? `It is ${asked}.` : "I don't know." }
}
const make = (answer: Script['answer'], more: Partial<Selection> = {}) => {
  const slot = fakeSlot(base, { answer })
  return makeReplay({ slot, base, selection: { ...selection, ...more }, seed: 1, signal: new AbortController().signal })
}

describe('replay', () => {
  it("has at least as many rows as pairs, each with the base's own answer to a question without pairs", async () => {
    const rows = await make(reads)
    assert.ok(rows.length >= 48, `${rows.length}`)
    for (const { prompt, completion } of rows) assert.equal(completion, reads(base, prompt).text)
    assert.ok(rows.every(({ prompt }) => prompt[0]?.content === 'Be kind.'))
  })

  it('keeps "I don\'t know": questions put to the passages of other questions', async () => {
    const rows = await make(reads)
    const mixed = rows.filter(({ prompt }) => /What is code/.test(prompt.at(-1)?.content ?? ''))
    assert.ok(mixed.length >= 10)
    assert.ok(mixed.every(({ completion }) => declines(completion)))
  })

  it('puts half of them to several pages at once, as retrieval finds them, and never to their own', async () => {
    const mixed = (await make(reads)).filter(({ completion }) => declines(completion))
    const pages = mixed.map(({ prompt }) => prompt.at(-1)?.content.match(/^\[\d\] Page \d+$/gm) ?? [])
    assert.ok(pages.filter(({ length }) => length === 3).length >= 5)
    assert.ok(pages.every((found) => found.every((page, n) => page.startsWith(`[${n + 1}] `))))
    for (const { prompt } of mixed) {
      const text = prompt.at(-1)?.content ?? ''
      assert.doesNotMatch(text, new RegExp(`Page ${/What is code (\d+)/.exec(text)?.[1]}$`, 'm'))
    }
  })

  it('shows half of them what was near another question, as a near sentence may answer that one alone', async () => {
    const train = selection.train.map((pair) => ({
      ...pair,
      prompt: pair.prompt.map(({ role, content }) => {
        const [, n = ''] = /code (\d+)\?/.exec(content) ?? []
        return { role, content: content.replace('\n\nWhat', `\n\nNearest:\nThe code is ${n}. [1]\n\nWhat`) }
      }),
    }))
    const mixed = (await make(reads, { train })).filter(({ completion }) => declines(completion))
    const misled = mixed.flatMap(({ prompt }) => lastMessage(prompt).highlights || [])
    assert.ok(
      misled.length > mixed.length * 0.3 && misled.length < mixed.length * 0.7,
      `${misled.length} of ${mixed.length}`,
    )
    for (const { prompt } of mixed) {
      const { passages, highlights, question } = lastMessage(prompt)
      const [, near, number] = /^Nearest:\nThe code is (\d+)\. \[(\d)\]$/.exec(highlights) ?? []
      if (near === undefined) continue
      assert.ok(passages.includes(`[${number}] Page ${near}\n`))
      assert.notEqual(question, `What is code ${near}?`)
    }
    assert.ok(
      mixed.some(({ prompt }) => /\[3\] Page/.test(lastMessage(prompt).passages) && lastMessage(prompt).highlights),
    )
  })

  it("sets it against that question's own answer in the form that people chose", async () => {
    const rows = await make(reads)
    for (const { prompt, rejected } of rows) {
      const [, asked] = /What is code (\d+)/.exec(prompt.at(-1)?.content ?? '') ?? []
      assert.equal(rejected, asked && `Answer ${asked}: 25 days [1].`)
    }
    const unsure = selection.train.map((pair) => ({ ...pair, chosen: "I don't know that." }))
    assert.ok((await make(reads, { train: unsure })).every(({ rejected }) => rejected === undefined))
  })

  it('leaves such a question out where the base answers all the same', async () => {
    const rows = await make(() => ({ text: 'It is 7.' }))
    assert.ok(rows.every(({ prompt }) => !/What is code/.test(prompt.at(-1)?.content ?? '')))
    assert.ok(rows.length >= 48)
  })

  it('puts passages before half of the small talk, as retrieval does in service', async () => {
    const talk = (await make(reads)).filter(({ completion }) => completion.startsWith('Hello!'))
    const found = talk.filter(({ prompt }) => /^\[1\] Page/.test(prompt.at(-1)?.content ?? ''))
    assert.ok(found.length > talk.length * 0.3 && found.length < talk.length * 0.7, `${found.length} of ${talk.length}`)
  })

  it('never teaches an empty answer, one that was cut off, or a secret', async () => {
    const bad = ['', 'and so on and on', 'The key is AKIAIOSFODNN7EXAMPLE.']
    const rows = await make((_version, prompt) => {
      const text = bad[(prompt.at(-1)?.content.length ?? 0) % 4]
      return text === undefined ? { text: 'Fine.' } : { text, reason: text.startsWith('and') ? 'length' : 'stop' }
    })
    assert.ok(rows.length > 0)
    assert.ok(rows.every(({ completion }) => completion === 'Fine.'))
  })

  it('takes answers of the bare base that people liked as they were, and no others', async () => {
    const unpaired = [loneRow(0), loneRow(1), loneRow(2, { version: 'v3' })]
    const rows = await make(reads, { unpaired })
    assert.deepEqual(rows[0], { prompt: unpaired[0]?.prompt, completion: 'Alone 0' })
    assert.equal(rows.filter(({ completion }) => completion.startsWith('Alone')).length, 1)
  })
})
