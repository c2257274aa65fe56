import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { comparisonOf } from '../../../training/compare/compared.ts'
import { type CompareHead, compareStore } from '../../../training/compare/result.ts'
import { rowResult } from './results.ts'

const head = (hash: string, day: number): CompareHead => ({
  format: 1,
  hash,
  startedAt: new Date(Date.UTC(2026, 1, day)),
  heldOut: 20,
  budget: { minutes: 10, seed: 42 },
  cannot: { full: 'LoRAs alone.' },
  rows: ['base', 'dpo', 'full'],
})

describe('the results of a comparison', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hone-results-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('come back as they were kept, numbers that are none too', async () => {
    const store = compareStore(dir)
    assert.equal(await store.last(), undefined)
    await store.begin(head('a'.repeat(64), 1))
    const row = rowResult('dpo', { perplexity: Number.NaN, memoryMb: 1400 })
    await store.put('a'.repeat(64), row)
    assert.deepEqual(await store.last(), { head: head('a'.repeat(64), 1), results: [row] })
  })

  it('are those of the comparison that was started last', async () => {
    const store = compareStore(dir)
    for (const [hash, day] of [
      ['a', 1],
      ['c', 3],
      ['b', 2],
    ] as const)
      await store.begin(head(hash.repeat(64), day))
    assert.equal((await store.last())?.head.hash, 'c'.repeat(64))
  })

  it('are missing where a file is damaged or half written, and the others stay', async () => {
    const store = compareStore(dir)
    await store.begin(head('a'.repeat(64), 1))
    for (const row of ['base', 'dpo']) await store.put('a'.repeat(64), rowResult(row))
    const [folder = ''] = await readdir(dir)
    await writeFile(join(dir, folder, 'dpo.json'), '{"row":"dpo","leans":[0.1')
    await writeFile(join(dir, folder, 'sft.json.part'), '{}')
    assert.deepEqual(
      (await store.last())?.results.map(({ row }) => row),
      ['base'],
    )
  })

  it('make a table in the order of the techniques, with what is missing and why', async () => {
    const table = comparisonOf({ head: head('a', 1), results: [rowResult('base')] })
    assert.deepEqual(
      table.rows.map(({ id, measured, why }) => [id, measured !== undefined, why]),
      [
        ['base', true, undefined],
        ['dpo', false, undefined],
        ['full', false, 'LoRAs alone.'],
      ],
    )
    assert.match(table.advice.text, /^So far, with 1 still to be measured: Stay with the base/)
    assert.equal(
      comparisonOf({ head: head('a', 1), results: [] }).advice.text,
      'So far, with 2 still to be measured: Nothing is measured yet.',
    )
  })
})
