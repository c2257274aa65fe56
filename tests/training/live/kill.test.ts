import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { verdictsIn } from '../../../training/live/count.ts'
import { judge, openLive } from './house.ts'

const script = join(import.meta.dirname, 'child.ts')

describe('a canary under kill -9', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hone-canary-'))
  })
  after(() => rm(dir, { recursive: true }))

  /** Kills the process when it has said so many people's names; answers the last one. */
  async function killAfter(people: number, first: number): Promise<number> {
    const child = spawn(process.execPath, [script, dir, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    let last = first
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line)
      if (last - first + 1 === people) child.kill('SIGKILL')
    }
    await exit
    return last
  }

  it('is on after each kill, has every verdict that was on disk, and is decided once', async () => {
    let judged = 0
    for (const people of [1, 3]) {
      judged = (await killAfter(people, judged)) + 1
      await using house = await openLive({ dir })
      const canary = await house.live.canary()
      assert.equal(canary?.version, 'v1')
      const counted = canary ? verdictsIn({ ...canary.thumbs, duels: canary.duels }) : 0
      // The one that was under way may be there too.
      assert.ok(counted === judged || counted === judged + 1, `${counted} of ${judged}`)
    }
    await using house = await openLive({ dir })
    await judge(house, 'canary', 80, 'rest')
    const log = await house.store.serving.log(9)
    assert.deepEqual(
      log.map(({ version, why }) => [version, why.split(':')[0]]),
      [
        ['v1', 'canary v1 is promoted'],
        ['v0', 'canary v1 begins with 50 % of threads'],
      ],
    )
  }).timeout(600_000)
})
