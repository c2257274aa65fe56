import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HoneError } from '../../src/errors.ts'
import { lockDataDir } from '../../src/store/index.ts'
import { start } from './process.ts'

describe('A data folder', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hone-lock-'))
  after(() => rmSync(dir, { recursive: true }))
  const lockedBy = (pid: number | undefined) => (error: HoneError) =>
    error.code === 'DATA_LOCKED' && error.message.includes(`process ${pid}.`)

  it('is refused to a second process, with the pid of the first', async () => {
    const data = join(dir, 'two', 'deep')
    const first = start('lock', data)
    await first.lines(1)
    assert.throws(() => lockDataDir(data), lockedBy(first.process.pid))
    first.process.stdin?.end()
    await first.ended()
    lockDataDir(data)[Symbol.dispose]()
  })
  it('is free again after kill -9 of the process that had it', async () => {
    const data = join(dir, 'killed')
    const first = start('lock', data)
    await first.lines(1)
    first.process.kill('SIGKILL')
    await first.ended()
    using lock = lockDataDir(data)
    assert.ok(lock)
    assert.throws(() => lockDataDir(data), lockedBy(process.pid))
  })
  it('can be locked again after it was released, also twice', () => {
    const lock = lockDataDir(join(dir, 'again'))
    lock[Symbol.dispose]()
    lock[Symbol.dispose]()
    lockDataDir(join(dir, 'again'))[Symbol.dispose]()
  })
  it('that is a file says STORE', () => {
    writeFileSync(join(dir, 'file'), '')
    assert.throws(() => lockDataDir(join(dir, 'file')), { code: 'STORE' })
  })
})
