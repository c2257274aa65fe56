import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openParts } from '../../src/cli/parts.ts'
import { readConfig } from '../../src/config.ts'
import { silent } from '../../src/log.ts'
import type { GateReport } from '../../src/ports/learning.ts'
import type { TrainEvent } from '../../src/ports/trainer.ts'
import { importFeedback, parseRows } from '../../training/index.ts'
import { handbookPairs } from './pairs.ts'

describe('from feedback to a version', () => {
  let dataDir: string
  before(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hone-learn-'))
  })
  after(() => rmSync(dataDir, { recursive: true, force: true }))

  it('trains on imported pairs for real, measures the result, and serves it or says by which numbers not', async () => {
    const config = readConfig({ HONE_DATA: dataDir, HONE_LOG: 'silent' })
    await using parts = openParts(config, silent)
    const store = await parts.store()
    const rows = parseRows(await handbookPairs(), 'dpo')
    assert.ok((await importFeedback(store, rows)).added >= 50)

    const learning = await parts.learning()
    const plan = await learning.plan()
    assert.equal(plan.refusal, undefined)
    const { id } = await learning.start('web:tester', { epochs: 2 })
    await assert.rejects(learning.start('web:other'), { code: 'BUSY' })
    const steps: TrainEvent[] = []
    let gate: GateReport | undefined
    for await (const event of learning.watch()) {
      if (event.kind === 'gate') gate = event.report
      if (event.kind === 'train' && event.event.type === 'step') steps.push(event.event)
    }

    const job = await store.jobs.get(id)
    assert.ok(job && ['promoted', 'held', 'refused'].includes(job.state), JSON.stringify(job))
    assert.ok(steps.length > 5)
    assert.ok(gate && gate.checks.length >= 5)
    assert.ok(
      gate.checks.every(({ value }) => !Number.isNaN(value)),
      JSON.stringify(gate.checks),
    )
    const serving = (await parts.slot()).version.id
    assert.equal(serving, job.state === 'promoted' ? job.detail.version : 'v0')
    assert.equal(await store.serving.current(), serving)
    for (const name of readdirSync(join(dataDir, 'versions'))) {
      assert.ok(!/^v\d+$/.test(name) || existsSync(join(dataDir, 'versions', name, 'manifest.json')), name)
    }
  }).timeout(900_000)

  it('refuses to train on next to nothing, and says what is missing', async () => {
    await using parts = openParts(readConfig({ HONE_DATA: join(dataDir, 'empty'), HONE_LOG: 'silent' }), silent)
    const plan = await (await parts.learning()).plan()
    assert.match(plan.refusal ?? '', /30/)
    await assert.rejects((await parts.learning()).start('web:tester'), { code: 'NOT_ENOUGH_DATA' })
  })
})
