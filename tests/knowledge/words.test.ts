import assert from 'node:assert/strict'
import fc from 'fast-check'
import { wordEmbedder } from '../../knowledge/index.ts'
import { dot } from '../../knowledge/static-embedder.ts'
import { wordPieces } from '../../knowledge/word-pieces.ts'

const tokens = ['car', '##s', '##port', 'the', 'cafe', 'soup', 'c', '##a']
const table = [
  [4, 0],
  [0.1, 0],
  [2, 1],
  [0.2, 0.2],
  [0, 3],
  [0, 5],
  [1, 1],
  [1, 1],
].map((row) => Float32Array.from(row))
const rows = { rows: table.length, width: 2, row: (token: number) => table[token] as Float32Array }
const embedder = wordEmbedder({ id: 'tiny', tokens, rows })

async function likeness(a: string, b: string): Promise<number> {
  const [left, right] = await embedder.embed([a, b], 'document')
  return dot(left as Float32Array, right as Float32Array)
}

describe('cutting words into pieces', () => {
  const cut = wordPieces(tokens)

  it('takes a whole word where there is one, else the longest pieces', () => {
    assert.deepEqual(cut('the carports, cars'), [3, 0, 2, 1, 0, 1])
  })

  it('heeds neither case nor accents nor marks', () => {
    assert.deepEqual(cut('**Café** | THE-SOUP!'), [4, 3, 5])
  })

  it('leaves out a word that can not be put together, and words of absurd length', () => {
    assert.deepEqual(cut(`the bus ${'ca'.repeat(40)} 都 soup`), [3, 5])
  })

  it('makes of any text only tokens of the vocabulary', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
        assert.ok(cut(text).every((token) => tokens[token] !== undefined))
      }),
    )
  })
})

describe('the word embedder', () => {
  it('puts texts of like words near each other, and lets short rows count little', async () => {
    assert.ok((await likeness('cars', 'the carport')) > 0.9)
    assert.ok((await likeness('the soup', 'the car')) < 0.2)
  })

  it('gives vectors of unit length, and zeros for a text without a word it knows', async () => {
    const [known, unknown] = await embedder.embed(['the carport', '都'], 'query')
    assert.ok(Math.abs(dot(known as Float32Array, known as Float32Array) - 1) < 1e-6)
    assert.deepEqual([...(unknown ?? [])], [0, 0])
  })

  it('finds nothing for a question of function words, which still count in a passage', async () => {
    const [asked] = await embedder.embed(['The?'], 'query')
    const [stored] = await embedder.embed(['The?'], 'document')
    assert.deepEqual([asked?.some(Boolean), stored?.some(Boolean)], [false, true])
  })

  it('is named by its table', () => {
    assert.equal(embedder.id, 'words:tiny')
  })
})
