import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMark } from '../../../adapters/discord/mark.ts'
import { silent } from '../../../src/log.ts'

describe('the mark up to which everything on Discord was seen', () => {
  let dir: string
  let file: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-mark-'))
    file = join(dir, 'seen.json')
    writeFileSync(file, JSON.stringify({ seen: '100', directs: [] }))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const kept = () => (JSON.parse(readFileSync(file, 'utf8')) as { seen: string }).seen

  it('stays where one shard still is, though another has caught up and goes on', () => {
    const mark = createMark(file, silent)
    const [first, second] = [mark.began(0), mark.began(1)]
    assert.ok(first && second)
    mark.caughtUp(0, first)
    mark.saw('200')
    mark.flush()
    assert.equal(kept(), '100')
    mark.caughtUp(1, second)
    mark.flush()
    assert.equal(kept(), '200')
  })

  it('knows of a connection that was lost while it was making up for the one before', () => {
    const mark = createMark(file, silent)
    const gap = mark.began(0)
    assert.ok(gap)
    mark.lost(0)
    mark.caughtUp(0, gap)
    assert.deepEqual(mark.began(0), { since: '100' })
  })

  it('is not moved on by a session that was given back while an older time is still to be made up for', () => {
    const mark = createMark(file, silent)
    mark.began(0)
    mark.saw('200')
    mark.lost(0)
    mark.resumed(0)
    mark.flush()
    assert.equal(kept(), '100')
    assert.deepEqual(mark.began(0), { since: '100' })
  })

  it('knows of nothing missed at the very first start', () => {
    rmSync(file)
    assert.equal(createMark(file, silent).began(0), undefined)
  })
})
