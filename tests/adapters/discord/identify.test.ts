import assert from 'node:assert/strict'
import { createBreaker } from '../../../adapters/discord/gateway.ts'
import { clientOptions } from '../../../adapters/discord/index.ts'
import { silent } from '../../../src/log.ts'
import { fakeDiscord } from '../../fakes/discord/index.ts'
import { clientOf, keptLog, signIn } from './house.ts'

describe('the breaker on IDENTIFY', () => {
  const gateway = (remaining: number) => ({
    fetchGatewayInformation: async () => ({
      url: 'ws://x',
      shards: 1,
      session_start_limit: { total: 1000, remaining, reset_after: 3_600_000, max_concurrency: 1 },
    }),
  })

  it('lets a session that is refused all day begin far less often than the thousand that costs the token', async () => {
    let now = 0
    const wait = async (ms: number) => {
      now += ms
    }
    const breaker = await createBreaker(gateway(900), { log: silent, now: () => now, wait })
    let count = 0
    while (now < 24 * 3_600_000) {
      await breaker.waitForIdentify(0, new AbortController().signal)
      // What discord.js waits before it tries again.
      now += 500
      count += 1
    }
    assert.ok(count < 200, `${count} in a day`)
    assert.ok(count > 24)
  })

  it('lets many shards begin five seconds apart, without slowing one for the others', async () => {
    let now = 0
    const waits: number[] = []
    const wait = async (ms: number) => {
      waits.push(ms)
      now += ms
    }
    const breaker = await createBreaker(gateway(900), { log: silent, now: () => now, wait })
    for (let shard = 0; shard < 10; shard++) await breaker.waitForIdentify(shard, new AbortController().signal)
    assert.deepEqual(
      waits,
      Array.from({ length: 9 }, () => 5000),
    )
  })

  it('stops before the last sessions of the day are used up, and says so', async () => {
    const { log, lines } = keptLog()
    const waits: number[] = []
    const breaker = await createBreaker(gateway(12), { log, wait: async (ms) => waits.push(ms) })
    await breaker.waitForIdentify(0, new AbortController().signal)
    assert.deepEqual(waits, [3_600_000])
    assert.equal(lines[0]?.event, 'discord.identify.stopped')
  })
})

describe('a client whose sessions are refused', () => {
  it('asks for ever fewer of them, where discord.js alone would ask twice a second, and comes back', async () => {
    await using server = await fakeDiscord()
    server.gateway.refusing = true
    const pauses: number[] = []
    const wait = async (ms: number) => {
      // Shorter ones keep the shards of one bot apart.
      if (ms > 5000) pauses.push(ms)
    }
    const client = clientOf(server, {}, clientOptions({}, { log: silent, wait }))
    const back = signIn(client, server)
    await server.until(() => pauses.length >= 4, 'four pauses')
    server.gateway.refusing = false
    await back
    await client.destroy()
    for (const [nth, ms] of pauses.slice(0, 4).entries())
      if (nth > 0) assert.ok(ms > 1.8 * (pauses[nth - 1] ?? 0), `${pauses}`)
  })
})
