import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ShardingManager } from 'discord.js'
import { type Asked, audit, program, quick, surviveOnDiscord } from '../../bench/discord/kills.ts'
import { type ApiMessage, type FakeDiscord, fakeDiscord } from '../fakes/discord/index.ts'

const KILLS = 4
describe('A bot on Discord', () => {
  let dir: string
  let server: FakeDiscord
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
    server = await fakeDiscord(quick)
  })
  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })

  it(`that is killed again and again answers every question once, after ${KILLS} kills`, async () => {
    const { lost, doubled } = await surviveOnDiscord(KILLS)
    assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] })
  })

  it('with shards loses nothing when one of them is killed and started again', async () => {
    // Guilds live on the shard that their id says.
    const guilds = [0n, 1n].map((n) => server.world.guild(`Guild ${n}`, String(((1n << 40n) + n) << 22n)))
    const channels = guilds.map((guild) => server.world.channel(guild, 'questions'))
    const anna = server.person('anna')
    const asked: Asked[] = []
    const ask = () => {
      for (const channel of channels)
        asked.push({ channel, question: anna.say(channel, `Question ${asked.length}`, { mention: true }) })
    }
    const manager = new ShardingManager(program, {
      totalShards: 2,
      shardArgs: [dir, server.url, server.token],
      respawn: true,
      silent: true,
    })
    await manager.spawn({ delay: 0, timeout: 60_000 })
    try {
      ask()
      const first = manager.shards.get(0)
      assert.ok(first?.process)
      const again = new Promise((resolve) => first.once('spawn', resolve))
      first.process.kill('SIGKILL')
      ask()
      await again
      await server.until(() => audit(server, asked).lost.length === 0, 'all answers').catch(() => undefined)
      assert.deepEqual(audit(server, asked), { lost: [], doubled: [] })
      // A button says by itself what it means: to the shard that was started again as well as to the other.
      for (const channel of channels) {
        const [reply] = server.said(channel)
        const [button = ''] = /hone:(?:up|duel-tie):[^"]+/.exec(JSON.stringify(reply?.components)) ?? []
        const { answer } = await anna.press(channel, reply as ApiMessage, button)
        assert.match(JSON.stringify(answer?.data), /Thank you|A tie/)
      }
    } finally {
      manager.respawn = false
      for (const shard of manager.shards.values()) shard.kill()
    }
  })
})
