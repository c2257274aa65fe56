import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freeze, readDataset, shuffleVotes } from '../../training/dataset.ts'
import type { Selection } from '../../training/select.ts'
import { loneRow, pairRows, user } from './rows.ts'

const selection: Selection = {
  method: 'dpo',
  train: pairRows(30),
  heldOut: pairRows(40).slice(30),
  unpaired: [loneRow(50), loneRow(51)],
  leftOut: { 'channel not allowed': 2 },
  notes: [],
  splitBy: 'thread',
  heldOutKeys: new Set(),
}
const replay = [{ prompt: user('Hello!'), completion: 'Hi, ask me anything.' }]

describe('a frozen dataset', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hone-dataset-'))
  })
  after(() => rm(folder, { recursive: true }))
  const lines = async (path: string, file: string) =>
    (await readFile(join(path, file), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  it("has its rows in TRL's conversational formats, word for word", async () => {
    const { path } = await freeze(folder, { selection, replay, seed: 1 })
    const rows = await lines(path, 'train.jsonl')
    assert.equal(rows.length, 30)
    assert.deepEqual(rows[0], {
      prompt: selection.train[0]?.prompt,
      chosen: [{ role: 'assistant', content: 'Answer 0: 25 days [1].' }],
      rejected: [{ role: 'assistant', content: "I don't know anything about 0." }],
    })
    assert.equal((await lines(path, 'holdout.jsonl')).length, 10)
    assert.deepEqual(await lines(path, 'replay.jsonl'), [
      { prompt: user('Hello!'), completion: [{ role: 'assistant', content: 'Hi, ask me anything.' }] },
    ])
  })

  it('says of replay what not to answer, where that is known', async () => {
    const row = { prompt: user('When?'), completion: "I don't know.", rejected: 'At noon [1].' }
    const { path } = await freeze(folder, { selection, replay: [row], seed: 1 })
    const [written] = await lines(path, 'replay.jsonl')
    assert.deepEqual(written.rejected, [{ role: 'assistant', content: 'At noon [1].' }])
  })

  it('is named after its content: the same rows are the same folder, other rows another', async () => {
    const first = await freeze(folder, { selection, replay, seed: 1 })
    assert.equal((await freeze(folder, { selection, replay, seed: 2 })).path, first.path)
    const fewer = { ...selection, train: selection.train.slice(1) }
    assert.notEqual((await freeze(folder, { selection: fewer, replay, seed: 1 })).path, first.path)
  })

  it('traces every pair to its turns and people, and counts what was left out', async () => {
    const { manifest } = await freeze(folder, { selection, replay, seed: 1 })
    assert.equal(manifest.traces.length, 40)
    assert.deepEqual(manifest.traces[0], {
      id: 'pair_0',
      origin: 'votes',
      chosen: 'good-0',
      rejected: 'bad-0',
      people: ['web:anna'],
      heldOut: false,
    })
    assert.deepEqual(manifest.rows, { pairs: 30, heldOut: 10, replay: 1 })
    assert.deepEqual(manifest.leftOut, { 'channel not allowed': 2 })
  })

  it('turns exactly half of the votes round for the shuffled experiment, the held-out ones too', async () => {
    const shuffled = shuffleVotes(selection, 1)
    const { path, manifest } = await freeze(folder, { selection: shuffled, replay, seed: 1, shuffledLabels: true })
    const turned = async (name: string) =>
      (await lines(path, name)).filter(({ chosen }) => /know/.test(chosen[0].content)).length
    assert.deepEqual([await turned('train.jsonl'), await turned('holdout.jsonl')], [15, 5])
    assert.equal(manifest.shuffledLabels, true)
  })

  it('gives KTO both sides and the lone thumbs, and SFT what was chosen or liked', async () => {
    const kto = await freeze(folder, { selection: { ...selection, method: 'kto' }, replay, seed: 1 })
    const rows = await lines(kto.path, 'train.jsonl')
    assert.equal(rows.length, 62)
    assert.deepEqual(rows.at(-1), {
      prompt: selection.unpaired[1]?.prompt,
      completion: [{ role: 'assistant', content: 'Alone 51' }],
      label: false,
    })
    assert.equal(kto.manifest.traces.length, 42)
    const sft = await freeze(folder, { selection: { ...selection, method: 'sft' }, replay, seed: 1 })
    assert.equal((await lines(sft.path, 'train.jsonl')).length, 31)
  })

  it('gives SFT the explanations that were kept of liked replies, and methods of preferences none', async () => {
    const explained = { prompt: user('Explain: why?'), completion: 'So.\n<why>\nThe page says it in plain words.' }
    const dull = { prompt: user('Explain: why?'), completion: 'and so and so and so and so and so' }
    const train = selection.train.map((row, index) => (index < 2 ? { ...row, explained } : row))
    const with_ = { ...selection, train: [...train.slice(0, 29), { ...pairRows(1)[0], explained: dull }] } as Selection
    const sft = await freeze(folder, { selection: { ...with_, method: 'sft' }, replay, seed: 1 })
    const rows = await lines(sft.path, 'train.jsonl')
    assert.deepEqual([rows.length, sft.manifest.rows['explained']], [32, 1])
    const full = await freeze(folder, { selection: { ...with_, method: 'full' }, replay, seed: 1 })
    assert.equal(full.manifest.hash, sft.manifest.hash, 'full fine-tuning is SFT on the same rows')
    const { prompt, completion: content } = explained
    assert.deepEqual(rows.at(-1), { prompt, completion: [{ role: 'assistant', content }] })
    const dpo = await freeze(folder, { selection: with_, replay, seed: 1 })
    assert.doesNotMatch(JSON.stringify(await lines(dpo.path, 'train.jsonl')), /<why>/)
  })

  it('does not exist without its manifest, and is made anew', async () => {
    const { path } = await freeze(folder, { selection, replay, seed: 1 })
    await rm(join(path, 'dataset.json'))
    await writeFile(join(path, 'train.jsonl'), 'half a l')
    await assert.rejects(readDataset(path), { code: 'NOT_FOUND' })
    const again = await freeze(folder, { selection, replay, seed: 1 })
    assert.equal(again.path, path)
    assert.equal((await lines(path, 'train.jsonl')).length, 30)
  })
})
