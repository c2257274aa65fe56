import assert from 'node:assert/strict'
import { type Embedder, embedFunction, staticEmbedder } from '../../knowledge/index.ts'
import { dot } from '../../knowledge/static-embedder.ts'

const words = ['the', 'garage', 'car', 'soup', 'lunch', 'bus']
const table = [
  [1, 1, 1],
  [1, 0, 0],
  [0.9, 0.1, 0],
  [0, 1, 0],
  [0.1, 0.9, 0],
  [0, 0, 1],
].map((row) => Float32Array.from(row))
const rows = { rows: table.length, width: 3, row: (token: number) => table[token] as Float32Array }
const tokenize = async (texts: readonly string[]) =>
  texts.map((text) => (text.match(/\w+/g) ?? []).map((word) => words.indexOf(word)))
const made = (options = {}) => staticEmbedder({ id: 'tiny', tokenize, rows, ...options })

async function cosine(embedder: Embedder, a: string, b: string): Promise<number> {
  const [left, right] = await embedder.embed([a, b], 'document')
  return dot(left as Float32Array, right as Float32Array)
}

describe('the static embedder', () => {
  it('puts texts of like tokens near each other', async () => {
    assert.ok((await cosine(made(), 'garage', 'car')) > 0.9)
    assert.ok((await cosine(made(), 'garage', 'soup')) < 0.2)
  })

  it('gives frequent tokens less weight once it has seen the corpus', async () => {
    const plain = made()
    const state = await plain.fitting?.learn(['the the the the garage', 'the the the soup', 'the the the bus'])
    const learnt = plain.fitting?.apply(state ?? '') as Embedder
    assert.notEqual(learnt.id, plain.id)
    const pair = ['the garage', 'the soup'] as const
    assert.ok((await cosine(learnt, ...pair)) < (await cosine(plain, ...pair)) - 0.2)
  })

  it('takes the common component out when asked to', async () => {
    const plain = made({ removeCommon: true })
    const state = await plain.fitting?.learn(['the garage', 'the soup', 'the bus'])
    const learnt = plain.fitting?.apply(state ?? '') as Embedder
    assert.ok((await cosine(learnt, 'the garage', 'the soup')) < 0)
  })

  it('gives zeros for a text without any token it knows, and for a question of function words', async () => {
    const [unknown] = await made().embed(['xyz'], 'document')
    const [empty] = await made().embed(['how are the you'], 'query')
    assert.deepEqual([...(unknown ?? []), ...(empty ?? [])], [0, 0, 0, 0, 0, 0])
  })
})

describe('an embedder from a function', () => {
  it('puts the wanted words before texts and makes vectors unit length', async () => {
    const asked: string[] = []
    const embed = async (texts: readonly string[]) => {
      asked.push(...texts)
      return texts.map(() => Float32Array.of(3, 4))
    }
    const embedder = embedFunction({ id: 'm', width: 2, embed, prefixes: { query: 'q: ', document: 'd: ' } })
    assert.deepEqual(
      [...((await embedder.embed(['hi'], 'query'))[0] ?? [])].map((one) => one.toFixed(1)),
      ['0.6', '0.8'],
    )
    await embedder.embed(['hi'], 'document')
    assert.deepEqual(asked, ['q: hi', 'd: hi'])
  })

  it('says which model failed, and refuses vectors of another width', async () => {
    const broken = embedFunction({ id: 'm', width: 2, embed: () => Promise.reject(new Error('no memory')) })
    await assert.rejects(broken.embed(['a'], 'query'), { code: 'ENGINE_FAILED', message: /m failed: no memory/ })
    const wide = embedFunction({ id: 'm', width: 2, embed: async () => [Float32Array.of(1, 2, 3)] })
    await assert.rejects(wide.embed(['a'], 'query'), { code: 'ENGINE_FAILED', message: /width 3/ })
  })
})
