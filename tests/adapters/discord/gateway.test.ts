import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, GatewayIntentBits, Partials } from 'discord.js'
import { createBreaker } from '../../../adapters/discord/gateway.ts'
import { clientOptions, discord } from '../../../adapters/discord/index.ts'
import { HoneError } from '../../../src/errors.ts'
import { silent } from '../../../src/log.ts'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import { clientOf, type House, keptLog, openHouse, signIn } from './house.ts'

describe('the connection to Discord', () => {
  let script: () => Script
  let bot: FakeBot
  let house: House
  let anna: ReturnType<House['server']['person']>
  const logged = keptLog()
  const open = async (more?: Parameters<typeof openHouse>[2], options: object = {}) => {
    house = await openHouse(bot, { log: logged.log, register: false, ...options }, more)
    anna = house.server.person('anna')
  }
  const finished = () =>
    house.server.said(house.channel).filter(({ components }) => JSON.stringify(components).includes(':up:'))
  const replied = (count: number) => house.server.until(() => finished().length >= count, `${count} replies`, 15_000)
  beforeEach(() => {
    logged.lines.length = 0
    script = () => ({ chunks: ['An answer.'] })
    bot = fakeBot({ script: () => script() })
  })
  afterEach(async () => house?.[Symbol.asyncDispose]())

  it('may break in the middle of a reply: the reply goes on, and what was written meanwhile is replayed', async () => {
    await open()
    const hold = Promise.withResolvers<void>()
    script = () => ({ chunks: ['First half, ', hold.promise, 'second half.'] })
    anna.say(house.channel, 'one', { mention: true })
    await house.server.until(() => house.server.said(house.channel).length === 1, 'half a reply')
    house.server.gateway.drop()
    anna.say(house.channel, 'two', { mention: true })
    hold.resolve()
    await replied(2)
    assert.equal(house.server.gateway.resumes, 1)
    assert.equal(house.server.state.identifies.made, 1)
  })

  it('connects again when Discord asks for it', async () => {
    await open()
    house.server.gateway.reconnect()
    await house.server.until(() => house.server.gateway.resumes === 1, 'a resume')
    anna.say(house.channel, 'one', { mention: true })
    await replied(1)
  })

  it('says so when Discord ends it for good, as after a reset of the token', async () => {
    await open()
    house.server.gateway.end(4004)
    const told = () => logged.lines.find(({ event }) => event === 'discord.disconnected')
    await house.server.until(() => told() !== undefined, 'a line in the log')
    assert.deepEqual(told()?.fields, { shard: 0, why: 'AuthenticationFailed' })
  })

  it('notices a connection that is dead without having ended', async () => {
    await open({ heartbeatMs: 200 })
    house.server.gateway.zombie = true
    await house.server.until(() => house.server.gateway.resumes >= 1, 'a resume')
    house.server.gateway.zombie = false
    anna.say(house.channel, 'one', { mention: true })
    await replied(1)
  })

  it('may be refused its session: what was written meanwhile is fetched, once', async () => {
    await open()
    anna.say(house.channel, 'one', { mention: true })
    await replied(1)
    house.server.gateway.forget()
    house.server.gateway.drop()
    anna.say(house.channel, 'two', { mention: true })
    anna.say(house.channel, 'not for the bot')
    // The first session used the first of the five seconds in which only one may begin.
    await replied(2)
    assert.equal(house.server.state.identifies.made, 2)
    assert.equal(finished().length, 2)
  }).timeout(30_000)

  it('makes up at the start for what was written while no process ran, direct messages too', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
    try {
      const markFile = join(dir, 'seen.json')
      await open({}, { markFile })
      const direct = house.server.world.direct(anna.user)
      anna.say(direct, 'zero')
      await house.server.until(() => bot.received.length === 1, 'a direct message')
      await bot.idle()
      house.handle.detach()
      await house.client.destroy()
      anna.say(house.channel, 'one', { mention: true })
      anna.say(direct, 'two')
      const options = { markFile, log: logged.log, register: false }
      const client = clientOf(house.server, options)
      const handle = discord(client, bot, options)
      await signIn(client, house.server)
      await replied(1)
      await house.server.until(() => bot.received.length >= 3, 'what was missed')
      const texts = new Set(bot.received.map((event) => event.kind === 'message' && event.text))
      assert.deepEqual(texts, new Set(['zero', 'one', 'two']))
      handle.detach()
      await client.destroy()
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('makes up for what was missed though one message can’t be taken in, and asks nothing of hidden channels', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
    try {
      const options = { markFile: join(dir, 'seen.json'), log: logged.log, register: false }
      const { receive } = bot
      bot = {
        ...bot,
        async receive(event) {
          if (event.kind === 'message' && event.text === 'bad') throw new HoneError('INPUT', 'It can’t be read.')
          return receive(event)
        },
      }
      await open({}, options)
      house.handle.detach()
      await house.client.destroy()
      const hidden = house.server.world.channel(house.guild, 'hidden')
      hidden.denied.add('view')
      anna.say(hidden, 'nobody is asked', { mention: true })
      anna.say(house.channel, 'bad', { mention: true })
      anna.say(house.channel, 'good', { mention: true })
      const client = clientOf(house.server, options)
      const handle = discord(client, bot, options)
      await signIn(client, house.server)
      await replied(1)
      await house.server.until(() => logged.lines.some(({ event }) => event === 'discord.missed'), 'the end of it')
      assert.deepEqual(
        house.server.state.calls.filter(({ status }) => status === 403),
        [],
      )
      handle.detach()
      await client.destroy()
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }).timeout(30_000)

  it('survives what can’t be digested before it is ready', async () => {
    await open()
    house.handle.detach()
    await house.client.destroy()
    house.server.state.early.push(['MESSAGE_CREATE', null], ['MESSAGE_REACTION_ADD', {}])
    const client = clientOf(house.server, { log: logged.log })
    const handle = discord(client, bot, { log: logged.log, register: false })
    await signIn(client, house.server)
    anna.say(house.channel, 'one', { mention: true })
    await replied(1)
    assert.ok(
      logged.lines.some(({ event, fields }) => event === 'discord.dispatch.failed' && fields.event === 'queued'),
    )
    handle.detach()
    await client.destroy()
  }).timeout(30_000)

  it('asks no questions of a time before it knew the server', async () => {
    bot = fakeBot()
    await open()
    house.handle.detach()
    anna.say(house.channel, 'long ago', { mention: true })
    const client = clientOf(house.server)
    const handle = discord(client, bot, { log: logged.log, register: false })
    await signIn(client, house.server)
    anna.say(house.channel, 'now', { mention: true })
    await replied(1)
    assert.equal(bot.received.length, 1)
    handle.detach()
    await client.destroy()
  }).timeout(30_000)
})

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

describe('the intents of a client', () => {
  const attach = (options: ConstructorParameters<typeof Client>[0], wishes: object = {}) => {
    const logged = keptLog()
    const client = new Client(options)
    discord(client, fakeBot(), { ...wishes, log: logged.log }).detach()
    return logged.lines.map(({ fields }) => String(fields.what))
  }
  it('are complete in what Hone makes', () => {
    for (const wishes of [{}, { listen: ['1'] }, { reactions: true }]) {
      assert.deepEqual(attach(clientOptions(wishes, { log: silent }), wishes), [])
    }
  })
  it('do not include the privileged one unless a channel is listened to', () => {
    const { intents } = new Client(clientOptions({}, { log: silent })).options
    assert.equal(intents.has(GatewayIntentBits.MessageContent), false)
  })
  it('are explained where one is missing', () => {
    const [first, second] = attach({ intents: ['Guilds', 'GuildMessages'] })
    assert.match(first ?? '', /DirectMessages, direct messages are not heard/)
    assert.match(second ?? '', /Partials\.Channel/)
  })
  it('are refused where what was asked for can’t work', () => {
    assert.throws(
      () =>
        attach(
          { intents: ['Guilds', 'GuildMessages', 'DirectMessages'], partials: [Partials.Channel] },
          { listen: ['1'] },
        ),
      /MessageContent.*privileged.*page Bot/,
    )
  })
})
