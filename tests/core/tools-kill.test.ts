import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BotTurn } from '../../src/ports/store.ts'
import { sqlite } from '../../src/store/index.ts'

const child = new URL('tools-child.ts', import.meta.url).pathname

describe('a tool of a process that is killed before it replies', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-tools-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const start = (...words: string[]) =>
    spawn(process.execPath, [child, dir, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })

  it('is not used again by the next one, which has what it answered', async () => {
    const first = start('hang')
    await once(first.stdout, 'data')
    first.kill('SIGKILL')
    await once(first, 'close')
    const second = start()
    const [said] = await Promise.all([Array.fromAsync(second.stdout, String), once(second, 'close')])
    assert.equal(JSON.parse(said.join('')), 'How is the weather?\n\n<results>\nlook: it rains\n</results>')
    assert.equal(readFileSync(join(dir, 'used'), 'utf8'), 'used\n')
    await using store = await sqlite(join(dir, 'hone.db'))
    const turn = (await store.turns.history('web:t', 9)).at(-1) as BotTurn
    assert.deepEqual(
      turn.tools?.map(({ state, result }) => [state, result]),
      [
        ['done', 'it rains'],
        ['repeated', undefined],
      ],
    )
    assert.deepEqual([await store.calls.of('e1'), await store.inbox.unsettled()], [[], []])
  }).timeout(60_000)
})
