import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openParts } from '../../src/cli/parts.ts'
import { readConfig } from '../../src/config.ts'
import { type Logger, silent } from '../../src/log.ts'
import { everyTenant } from '../../src/ports/knowledge.ts'
import { writeTinyModel } from '../fixtures/gguf.ts'

const page = {
  id: 'a.md',
  tenant: everyTenant,
  scope: 'public',
  title: 'A',
  text: 'Twenty days.',
  format: 'markdown' as const,
}

describe('the parts of a Hone', function suite() {
  this.timeout(60_000)
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
})
