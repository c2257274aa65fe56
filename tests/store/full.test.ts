import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { HoneError } from '../../src/errors.ts'
import type { Store } from '../../src/ports/store.ts'
import { sqlite } from '../../src/store/index.ts'
import { storeIn } from '../../src/store/sqlite.ts'
import { botTurn, inbound, userTurn } from '../contracts/store.ts'

describe('A SQLite store on a full disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hone-full-'))
  after(() => rmSync(dir, { recursive: true }))

  it('refuses what it cannot keep with DISK_FULL and goes on with the rest', async () => {
    const database = new DatabaseSync(join(dir, 'limit.db'))
    database.exec('pragma journal_mode = wal; pragma max_page_count = 120')
    await using store = await storeIn(database, 'limit.db')
    await isWholeWhenFull(store)
    database.exec('pragma max_page_count = 9999')
    await append(store, 'after')
    assert.deepEqual({ ...database.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' })
  })

  describe('of two megabytes', () => {
    const small = join(dir, 'small')
    beforeEach(function mount_or_skip() {
      mkdirSync(small)
      // Only root of a whole machine may mount.
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small]).status !== 0) this.skip()
    })
    afterEach(() => {
      spawnSync('umount', ['--lazy', small])
      rmSync(small, { recursive: true })
    })

    it('writes again once there is space', async () => {
      const path = join(small, 'hone.db')
      writeFileSync(join(small, 'filler'), Buffer.alloc(400_000))
      const kept = await fullDisk(path)
      rmSync(join(small, 'filler'))
      await using store = await sqlite(path)
      await append(store, 'after')
      for (const id of [...kept, 'after']) assert.ok(await store.turns.get(`a${id}`), id)
    })
    it('says DISK_FULL when it is opened without one free block', async () => {
      const path = join(small, 'hone.db')
      await (await sqlite(path))[Symbol.asyncDispose]()
      assert.throws(() => writeFileSync(join(small, 'filler'), Buffer.alloc(2 << 20)), { code: 'ENOSPC' })
      await assert.rejects(sqlite(path), { code: 'DISK_FULL' })
      await assert.rejects(sqlite(join(small, 'another.db')), { code: 'DISK_FULL' })
    })
  })
})

async function fullDisk(path: string): Promise<readonly string[]> {
  await using store = await sqlite(path)
  return await isWholeWhenFull(store)
}

/** Writes until the disk is full, then checks that nothing half-written is there and that the rest can be read. */
async function isWholeWhenFull(store: Store): Promise<readonly string[]> {
  const kept: string[] = []
  let failure: HoneError | undefined
  for (let i = 0; i < 500 && !failure; i++) {
    await append(store, `${i}`).then(
      () => kept.push(`${i}`),
      (error: HoneError) => {
        failure = error
      },
    )
  }
  assert.equal(failure?.code, 'DISK_FULL')
  assert.ok(kept.length > 3)
  assert.equal(await store.turns.get(`a${kept.length}`), undefined)
  for (const id of kept) assert.equal((await store.turns.history(`web:${id}`, 9)).length, 2, id)
  return kept
}

async function append(store: Store, id: string): Promise<void> {
  const place = { thread: `web:${id}`, text: 'long '.repeat(2000) }
  await store.inbox.claim(inbound(`event:${id}`))
  await store.turns.appendUser(userTurn(id, place))
  await store.turns.appendBot([botTurn(`a${id}`, id, place)], `event:${id}`)
}
