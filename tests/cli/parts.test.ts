import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openParts } from '../../src/cli/parts.ts'
import { readConfig } from '../../src/config.ts'
import { type Logger, silent } from '../../src/log.ts'
import { everyTenant } from '../../src/ports/knowledge.ts'
import { openRegistry } from '../../training/index.ts'
import { chatml, gguf, writeTinyLora, writeTinyModel } from '../fixtures/gguf.ts'

const page = {
  id: 'a.md',
  tenant: everyTenant,
  scope: 'public',
  title: 'A',
  text: 'Twenty days.',
  format: 'markdown' as const,
}

describe('the parts of a Hone', function suite() {
  let dir: string
  let model: string
  let events: string[]
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-parts-'))
    model = writeTinyModel(join(dir, 'model.gguf'))
    events = []
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const open = () => {
    const keep = (event: string) => void events.push(event)
    const log: Logger = { ...silent, info: keep, warn: keep, child: () => log }
    return openParts(readConfig({ HONE_DATA: join(dir, 'data'), HONE_MODEL: model }), log)
  }

  it('have one bot, whoever asks: a second one would take the first one’s events for left over', async () => {
    await using parts = open()
    const [first, second] = await Promise.all([parts.bot(), parts.bot()])
    assert.equal(first, second)
  })

  describe('with the serving model’s own token embeddings', () => {
    beforeEach(async () => {
      await using parts = open()
      await (await parts.knowledge()).add([page])
    })
    const reembeds = async () => {
      await using parts = open()
      await parts.knowledge()
      return events.includes('knowledge.reembed')
    }

    it('keep what was embedded when the model file is moved', async () => {
      renameSync(model, join(dir, 'moved.gguf'))
      model = join(dir, 'moved.gguf')
      assert.equal(await reembeds(), false)
    })

    it('embed anew when another model of the same size takes the file’s place', async () => {
      writeTinyModel(model, { seed: 9 })
      assert.equal(await reembeds(), true)
    })
  })

  it('embed anew when a table of words is put beside the model, and when another takes its place', async () => {
    {
      await using parts = open()
      await (await parts.knowledge()).add([page])
    }
    const table = join(dir, 'embedder.gguf')
    for (const value of [1, 2]) {
      const values = Float32Array.of(value, 0, 0, value)
      const tensors = { 'token_embd.weight': { shape: [2, 2], values } }
      const names = {
        'general.architecture': { text: 'word-table' },
        'tokenizer.ggml.tokens': { texts: ['twenty', 'days'] },
      }
      writeFileSync(table, gguf(names, tensors))
      events = []
      await using other = open()
      const [found] = await (await other.knowledge()).search('days', { tenant: 'web', scopes: [], limit: 1 })
      assert.deepEqual([found?.text, events.includes('knowledge.reembed')], ['Twenty days.', true])
    }
  })

  it('refuse a table of words that lacks some', async () => {
    const tensors = { 'token_embd.weight': { shape: [2, 2], values: new Float32Array(4) } }
    writeFileSync(join(dir, 'embedder.gguf'), gguf({ 'general.architecture': { text: 'word-table' } }, tensors))
    await using parts = open()
    await assert.rejects(parts.knowledge(), { code: 'MODEL_FILE', message: /0 words for 2 rows/ })
  })

  it('refuse a version that was trained with another chat template than the model serves with', async () => {
    await publish(chatml)
    await publish(chatml.replace('assistant', 'bot'))
    await using parts = open()
    const learning = await parts.learning()
    await learning.promote('v1', 'test')
    const refusal = { code: 'LORA_MISMATCH', message: /v2 was trained for another chat template/ }
    await assert.rejects(learning.promote('v2', 'test'), refusal)
    assert.equal((await parts.slot()).version.id, 'v1')
  })

  async function publish(template: string): Promise<void> {
    const registry = await openRegistry(join(dir, 'data', 'versions'))
    const lora = writeTinyLora(join(dir, 'lora.gguf'))
    const peft = mkdtempSync(join(dir, 'peft-'))
    const candidate = await registry.stage({ gguf: lora.path, peft, sha256: lora.sha256 }, model)
    await registry.publish(candidate, {
      format: 1,
      id: candidate.id,
      createdAt: '2026-05-01T10:00:00.000Z',
      job: 'job_1',
      base: { path: model, sha256: await registry.baseSha256(model) },
      lora: { file: 'lora.gguf', sha256: lora.sha256, bytes: candidate.bytes },
      templateSha256: createHash('sha256').update(template).digest('hex'),
      dataset: { path: '/datasets/1', hash: 'hash', shuffledLabels: false },
      method: 'dpo',
      seed: 1,
      hyper: {},
      pairs: [],
      gate: { verdict: 'promote', checks: [] },
    })
  }
})
