import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ShardingManager } from 'discord.js'
import { type ApiMessage, type Channel, type FakeDiscord, fakeDiscord } from '../fakes/discord/index.ts'

const KILLS = 4
const program = join(import.meta.dirname, 'discord', 'child.ts')
const limits = {
  sends: { limit: 5, windowMs: 100 },
  edits: { limit: 5, windowMs: 100 },
  others: { limit: 50, windowMs: 100 },
} as const

/** Questions without a finished answer, and questions with more than one. */
function audit(server: FakeDiscord, asked: readonly { readonly channel: Channel; readonly question: ApiMessage }[]) {
  const answers = ({ channel, question }: (typeof asked)[number]) =>
    server.said(channel).filter(({ message_reference }) => message_reference?.message_id === question.id)
  const finished = ({ components }: ApiMessage) => /:(up|duel-left):/.test(JSON.stringify(components))
  return {
    lost: asked.filter((one) => !answers(one).some(finished)).map(({ question }) => question.content),
    doubled: asked.filter((one) => answers(one).length > 1).map(({ question }) => question.content),
  }
}

describe('A bot on Discord', () => {
  let dir: string
  let server: FakeDiscord
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
    server = await fakeDiscord({ limits, identifies: 100_000, maxConcurrency: 16 })
  })
  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })

  it(`that is killed again and again answers every question once, after ${KILLS} kills`, async () => {
    const guild = server.world.guild('Garden club')
    const channels = [0, 1, 2].map((n) => server.world.channel(guild, `c${n}`))
    const anna = server.person('anna')
    const asked: { channel: Channel; question: ApiMessage }[] = []
    const ask = () => {
      const channel = channels[asked.length % channels.length] as Channel
      asked.push({ channel, question: anna.say(channel, `Question ${asked.length}`, { mention: true }) })
    }
    const start = async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, [program, dir, server.url, server.token], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      return child
    }
    let child = await start()
    for (let kill = 0; kill < KILLS; kill++) {
      for (let n = 0; n < 4; n++) ask()
      // Any moment is a good one for a kill.
      await sleep(Math.random() * 600)
      child.kill('SIGKILL')
      await once(child, 'close')
      ask()
      child = await start()
    }
    ask()
    try {
      await server.until(() => audit(server, asked).lost.length === 0, 'all answers', 20_000).catch(() => undefined)
      assert.deepEqual(audit(server, asked), { lost: [], doubled: [] })
      assert.equal(server.state.limiter.tooMany, 0)
    } finally {
      child.kill('SIGKILL')
    }
  }).timeout(120_000)

  it('with shards loses nothing when one of them is killed and started again', async () => {
    // Guilds live on the shard that their id says.
    const guilds = [0n, 1n].map((n) => server.world.guild(`Guild ${n}`, String(((1n << 40n) + n) << 22n)))
    const channels = guilds.map((guild) => server.world.channel(guild, 'questions'))
    const anna = server.person('anna')
    const asked: { channel: Channel; question: ApiMessage }[] = []
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
      await server.until(() => audit(server, asked).lost.length === 0, 'all answers', 30_000).catch(() => undefined)
      assert.deepEqual(audit(server, asked), { lost: [], doubled: [] })
    } finally {
      manager.respawn = false
      for (const shard of manager.shards.values()) shard.kill()
    }
  }).timeout(120_000)
})
