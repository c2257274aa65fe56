import assert from 'node:assert/strict'
import { DiscordAPIError, REST } from 'discord.js'
import { createApi } from '../../../adapters/discord/api.ts'
import { createPace } from '../../../adapters/discord/pace.ts'
import { createClosed } from '../../../adapters/discord/recent.ts'
import { keepTyping } from '../../../adapters/discord/stage.ts'
import type { Surface } from '../../../adapters/discord/surface.ts'
import { streamOnDiscord } from '../../../bench/discord/streams.ts'
import { silent } from '../../../src/log.ts'
import { quickLimits } from './house.ts'

describe('streaming to Discord', () => {
  it('writes twenty replies at once in one server without a 429, each in several steps', async () => {
    const { refused, edits } = await streamOnDiscord(20, { limits: quickLimits })
    assert.deepEqual(refused, [])
    assert.ok(Math.min(...edits) >= 2, `edits: ${edits.join(' ')}`)
  })
})

describe('the pace of edits', () => {
  const headers = (remaining: number, after: number) =>
    new Headers({ 'x-ratelimit-remaining': String(remaining), 'x-ratelimit-reset-after': String(after) })

  it('spreads what is left over what is left of the window, and keeps one call for the end', () => {
    let now = 0
    const pace = createPace(50, () => now)
    assert.equal(pace.gap('c'), 0)
    pace.note('c', headers(4, 4))
    assert.equal(pace.gap('c'), 1000)
    pace.note('c', headers(1, 2))
    assert.equal(pace.gap('c'), 2000)
    now = 1500
    assert.equal(pace.gap('c'), 500)
    now = 5000
    assert.equal(pace.gap('c'), 0)
  })
  it('shares the limit of the whole bot among the replies that are being streamed', () => {
    const pace = createPace(50)
    const leave = Array.from({ length: 100 }, () => pace.join())
    assert.equal(pace.gap('c'), 5000)
    for (const one of leave) one()
    assert.equal(pace.gap('c'), 0)
  })
  it('takes no more than its part of the limit where several processes share it', () => {
    const { pace } = createApi(new REST(), () => '1', 2)
    for (let n = 0; n < 100; n++) pace.join()
    assert.equal(pace.gap('c'), 10_000)
  })
  it('knows nothing where the platform says nothing', () => {
    const pace = createPace(50)
    pace.note('c', new Headers())
    assert.equal(pace.gap('c'), 0)
  })
})

describe('the sign that the bot is working', () => {
  const closed = createClosed()
  /** A clock that stands until it is told to go on. */
  function clock() {
    let ring = Promise.withResolvers<void>()
    const waits: number[] = []
    const wait = async (ms: number, signal?: AbortSignal): Promise<void> => {
      waits.push(ms)
      ring = Promise.withResolvers()
      signal?.addEventListener('abort', () => ring.resolve(), { once: true })
      return ring.promise
    }
    const go = async () => {
      ring.resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { waits, wait, go }
  }
  const place = (typing: () => Promise<void>) => ({ channel: '1', typing }) as Surface
  const options = { log: silent, deferred: new Map(), signal: new AbortController().signal }

  it('is given after a moment, renewed before it fades, and no more once there is a text', async () => {
    const { waits, wait, go } = clock()
    let count = 0
    const typing = keepTyping(
      place(async () => {
        count += 1
      }),
      { ...options, closed, wait },
    )
    assert.equal(count, 0, 'what comes at once needs no announcement')
    for (const times of [1, 2, 3]) {
      await go()
      assert.equal(count, times)
    }
    assert.deepEqual(waits.slice(1), [8000, 8000, 8000], 'Discord lets it fade after ten seconds')
    typing.stop()
    await go()
    await go()
    assert.equal(count, 3)
  })

  it('is not tried again where the bot may not write', async () => {
    const { wait, go } = clock()
    const where = createClosed()
    let count = 0
    const refused = new DiscordAPIError({ code: 50013, message: '' }, 50013, 403, 'POST', '', {})
    const typing = async () => {
      count += 1
      throw refused
    }
    for (let n = 0; n < 3; n++) {
      keepTyping(place(typing), { ...options, closed: where, wait })
      await go()
    }
    assert.equal(count, 1)
  })
})
