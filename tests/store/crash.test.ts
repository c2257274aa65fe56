import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../../src/ports/store.ts'
import { sqlite } from '../../src/store/index.ts'
import { inbound } from '../contracts/store.ts'
import { start } from './process.ts'

const KILLS = 20

describe('A SQLite store whose process is killed', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hone-crash-'))
  after(() => rmSync(dir, { recursive: true }))

  it(`has lost nothing that it acknowledged, after ${KILLS} kills`, async () => {
    const path = join(dir, 'kill.db')
    const acknowledged: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const child = start('talk', path, `run${kill}`)
      // The first are killed while they set the tables up; the others while they write.
      await child.lines(kill < 3 ? 1 : 1 + ((kill * 37) % 30))
      child.process.kill('SIGKILL')
      await child.ended()
      acknowledged.push(...child.said.filter((line) => line !== 'opening'))
    }
    await using store = await sqlite(path)
    assert.ok(acknowledged.length > 150, `${acknowledged.length} acknowledged`)
    await everythingIsThere(store, acknowledged)
    assert.deepEqual({ ...check(path) }, { integrity_check: 'ok' })
  })

  it('claims an event once when three processes get it', async () => {
    const path = join(dir, 'claim.db')
    const children = [start('claim', path), start('claim', path), start('claim', path)]
    await Promise.all(children.map((child) => child.ended()))
    const claimed = children.flatMap((child) => child.said)
    assert.equal(claimed.length, 100)
    assert.equal(new Set(claimed).size, 100)
  })
})

async function everythingIsThere(store: Store, acknowledged: readonly string[]): Promise<void> {
  // A claimed event waits until it is settled, and is settled only with its answer in the store.
  const waiting = new Set((await store.inbox.unsettled()).map((event) => event.id))
  for (const line of acknowledged) {
    const [what, id] = line.split(' ')
    const reply = await store.turns.get(`a-${id}`)
    if (what === 'claim') {
      assert.equal(await store.inbox.claim(inbound(`event:${id}`)), false, line)
      assert.ok(waiting.has(`event:${id}`) || reply !== undefined, line)
    }
    if (what === 'call' && !reply) assert.equal((await store.calls.of(`event:${id}`))[0]?.result, id, line)
    if (what === 'answer') assert.ok(reply && (await store.turns.get(id ?? '')), line)
    if (what === 'settle') assert.ok(reply && !waiting.has(`event:${id}`), line)
    if (what === 'vote') assert.equal((await store.feedback.ofTurn(`a-${id}`)).votes.length, 1, line)
  }
}

function check(path: string) {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare('pragma integrity_check').get()
  } finally {
    database.close()
  }
}
