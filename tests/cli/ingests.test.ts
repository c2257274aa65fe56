import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKnowledge } from '../../knowledge/index.ts'
import { createIngests, type Ingesting } from '../../src/cli/ingests.ts'
import { silent } from '../../src/log.ts'
import { everyTenant } from '../../src/ports/knowledge.ts'

describe('ingests of a running Hone', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'hone-ingests-'))
    mkdirSync(join(base, 'docs'))
    for (const n of [1, 2, 3]) write(`page-${n}.md`, `Page ${n} is about parking.`)
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  const write = (name: string, text: string) => writeFileSync(join(base, 'docs', name), text)
  const open = () => openKnowledge({ dir: join(base, 'k'), log: silent, vectors: 'usearch' })
  const reportOf = (told: readonly Ingesting[]) => {
    const end = told.at(-1)
    return end && 'report' in end ? end.report : assert.fail('There is no report.')
  }

  it('come one after the other, so that none removes what another has added meanwhile', async () => {
    await using knowledge = await open()
    using ingests = createIngests(knowledge, silent)
    const folder = ingests.run({ source: 'docs', base })
    const told: Ingesting[] = []
    let page: Promise<Ingesting[]> | undefined
    for await (const one of folder) {
      told.push(one)
      // It is read by now what the folder held.
      if (page === undefined) {
        write('new.md', 'The new page is about bicycles.')
        page = Array.fromAsync(ingests.run({ source: 'docs/new.md', base }))
      }
    }
    assert.equal(reportOf(told).removed, 0)
    assert.equal(reportOf((await page) ?? []).added, 1)
    assert.equal((await knowledge.documents(everyTenant)).length, 4)
  })

  it('read no further once they are stopped, and write nothing', async () => {
    await using knowledge = await open()
    const ingests = createIngests(knowledge, silent)
    const stopped = (async () => {
      for await (const _ of ingests.run({ source: 'docs', base })) ingests[Symbol.dispose]()
    })()
    await assert.rejects(stopped, { code: 'CANCELLED' })
    assert.deepEqual(await knowledge.documents(everyTenant), [])
  })

  it('can’t write into knowledge that is closed', async () => {
    const knowledge = await open()
    const ingests = createIngests(knowledge, silent)
    const late = (async () => {
      for await (const _ of ingests.run({ source: 'docs', base })) await knowledge[Symbol.asyncDispose]()
    })()
    await assert.rejects(late, { code: 'STORE', message: 'The knowledge is closed.' })
  })

  it('are logged when they fail, for whoever asked may be gone', async () => {
    await using knowledge = await open()
    const logged: (readonly [string, unknown])[] = []
    const log = {
      ...silent,
      info: (event: string, fields?: Record<string, unknown>) => void logged.push([event, fields?.['source']]),
    }
    using ingests = createIngests(knowledge, log)
    await assert.rejects(Array.fromAsync(ingests.run({ source: 'nowhere', base })), { code: 'INPUT' })
    assert.deepEqual(logged, [['knowledge.ingest.failed', 'nowhere']])
  })
})
