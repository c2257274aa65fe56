import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { sections } from '../../knowledge/blocks.ts'
import type { Embedder } from '../../knowledge/embedder.ts'
import { highlight } from '../../knowledge/highlight.ts'
import { sentences } from '../../knowledge/sentences.ts'
import { packageRoot } from '../../src/cli/model.ts'
import type { Passage } from '../../src/ports/knowledge.ts'
import { pythonFolder, trainingPython } from '../training/child.ts'

const passage = (text: string, title = 'Rules'): Passage => ({ id: title, document: 'd', title, text, score: 1 })

describe('cutting passages into sentences', () => {
  const cut = (text: string) => sentences(text).map((one) => [one.about, one.text].filter(Boolean).join(' | '))

  it('cuts running text where sentences end, and lines', () => {
    assert.deepEqual(cut('Ask **us**. We help, e.g. on Mondays.\n\nReally?'), [
      'Ask us.',
      'We help, e.g. on Mondays.',
      'Really?',
    ])
  })

  it('goes on over a line that was broken for its width, and over one that is indented below an item', () => {
    assert.deepEqual(cut('Employees may not\nbring dogs to the office. Cats\nare fine.'), [
      'Employees may not bring dogs to the office.',
      'Cats are fine.',
    ])
    const long = 'Whoever comes to the office by bicycle and has no place for it asks the'
    assert.deepEqual(cut(`${long}\nReception.`), [`${long} Reception.`])
    assert.deepEqual(cut('- Dogs are allowed\n  only on Fridays\n- Cats'), ['Dogs are allowed only on Fridays', 'Cats'])
    assert.deepEqual(cut('Monday 8 to 17\nTuesday 9 to 17'), ['Monday 8 to 17', 'Tuesday 9 to 17'])
  })

  it('leaves out code blocks and what has no word, and takes stars for bold marks only around words', () => {
    assert.deepEqual(cut('Do this:\n```\nhone-ctl reset. Now.\n```\nThen call.\n---\n***'), ['Do this:', 'Then call.'])
    const kept = 'It is 2**10 (**bold**), so src/**/*.ts and f(**kw).'
    assert.deepEqual(cut(kept), [kept.replace('**bold**', 'bold')])
  })

  it('takes each item of a list with the line that introduces the list', () => {
    assert.deepEqual(cut('Phone:\n\n- Riga: 12\n2) Graz: 34\n\nWrite to us.\n* Mail: a@b.c'), [
      'Phone:',
      'Phone: | Riga: 12',
      'Phone: | Graz: 34',
      'Write to us.',
      'Mail: a@b.c',
    ])
  })

  it('puts rows of tables in words, with the names of their columns where there are several', () => {
    const wide =
      '| Name | Opens | Closes | Seats |\n|:--|---|---|---|\n| Riga | 8:00 | - | |\n| Graz | 9:00 | 17:00 | 4 |'
    assert.deepEqual(
      sentences(wide).map(({ text }) => text),
      ['Riga: Opens 8:00', 'Graz: Opens 9:00, Closes 17:00, Seats 4'],
    )
    assert.deepEqual(cut('| What | Rule |\n|---|---|\n| Hotel | 140 euros |'), ['What Rule | Hotel: 140 euros'])
  })

  it('cuts any text into texts that are not empty', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('|', '|---|', '| a | b |', '- ', '1. x', 'A. B.', ':', '**', '|a'),
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const { text } of sentences(lines.join('\n'))) assert.notEqual(text.trim(), '')
      }),
    )
  })

  it('cuts as the starter’s trainer does', async () => {
    const books = join(packageRoot, 'bench', 'fixtures', 'starter')
    const odd = [
      'Staff may not\nbring dogs. Really?\n- Cats\n  too, **at last**\nBirds: 2**10\n~~~\nx\n~~~\nEnd',
      'Mail:\n\n1) a@b.c\n\n| A | B | C |\n|:--|---|--:|\n| x | - | 2 |\n---\n\t* y\n\t  z',
    ]
    const pages = readdirSync(books, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
    const read = pages.flatMap((name) => sections(readFileSync(join(books, name), 'utf8')))
    const bodies = [...read.map(({ body }) => body), ...odd]
    const script = `
import json, sys; from handbooks.sentences import sentences
print(json.dumps([[[s.about, s.text] for s in sentences(body)] for body in json.load(sys.stdin)]))`
    const said = execFileSync(await trainingPython(), ['-c', script], {
      cwd: pythonFolder,
      input: JSON.stringify(bodies),
    })
    const ours = bodies.map((body) => sentences(body).map(({ about, text }) => [about, text]))
    assert.ok(bodies.length > 100)
    assert.deepEqual(JSON.parse(said.toString()), ours)
  })
})

describe('highlights', () => {
  /** A text is as near to a question as its last number says, in hundredths. */
  const embedder = (near?: number): Embedder => ({
    id: 'numbers',
    width: 2,
    async embed(texts, kind) {
      return texts
        .map((text) => {
          const likeness = kind === 'query' ? 1 : Number(/(\d+)\D*$/.exec(text)?.[1] ?? 0) / 100
          return Float32Array.of(likeness, Math.sqrt(1 - likeness ** 2))
        })
        .map((vector) => (kind === 'query' ? Float32Array.of(1, 0) : vector))
    },
    ...(near === undefined ? {} : { near }),
  })
  const shown = async (text: string, { near, most = 3 }: { near?: number; most?: number } = {}) =>
    (await highlight('Why?', [passage(text)], embedder(near), { most })).map((one) => one.text)

  it('are the nearest sentence and those about as near, the nearest first', async () => {
    assert.deepEqual(await shown('Far 30. Near 70. Nearest 80. Nearer 72. Beyond 60.'), [
      'Nearest 80.',
      'Nearer 72.',
      'Near 70.',
    ])
    assert.deepEqual(await shown('Nearest 80. Nearer 72.', { most: 1 }), ['Nearest 80.'])
  })

  it('are none where nothing is near', async () => {
    assert.deepEqual(await shown('One 39. Two 35.', { near: 0.4 }), [])
    assert.deepEqual(await shown('One 41. Two 39.', { near: 0.4 }), ['One 41.'])
    assert.deepEqual(await shown('None 0. Nothing 0.'), [])
    assert.deepEqual(await shown('Near 90.', { most: 0 }), [])
  })

  it('are an error where the embedder gives too few vectors', async () => {
    const few = { ...embedder(), embed: async () => [Float32Array.of(1, 0)] }
    await assert.rejects(highlight('Why?', [passage('One 1. Two 2.')], few, { most: 3 }), { code: 'ENGINE_FAILED' })
  })

  it('come from all passages, each with its own, and are no longer than a person reads at a glance', async () => {
    const [one, other] = [passage(`${'x'.repeat(400)} 99. Short 80.`, 'A'), passage('Other 90.', 'B')]
    const found = await highlight('Why?', [one, other], embedder(), { most: 3 })
    assert.deepEqual(
      found.map((each) => [each.passage.title, each.text]),
      [
        ['B', 'Other 90.'],
        ['A', 'Short 80.'],
      ],
    )
  })
})
