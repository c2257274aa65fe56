import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { discord } from '../../../adapters/discord/index.ts'
import { HoneError } from '../../../src/errors.ts'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import { guildPayload } from '../../fakes/discord/world.ts'
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
  const replied = (count: number) => house.server.until(() => finished().length >= count, `${count} replies`)
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
  })

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
  })

  it('makes up for what was missed in a server that comes late', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
    try {
      const options = { markFile: join(dir, 'seen.json'), log: logged.log, register: false }
      await open({}, options)
      house.handle.detach()
      await house.client.destroy()
      anna.say(house.channel, 'one', { mention: true })
      house.server.state.late.add(house.guild.id)
      const client = clientOf(house.server, options, { waitGuildTimeout: 20 })
      const handle = discord(client, bot, options)
      await signIn(client, house.server)
      await house.server.until(() => logged.lines.some(({ event }) => event === 'discord.missed'), 'the first look')
      assert.deepEqual(bot.received, [])
      house.server.state.dispatch('GUILD_CREATE', guildPayload(house.server.world, house.guild), house.guild.id)
      await replied(1)
      handle.detach()
      await client.destroy()
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

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
  })

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
  })
})
