import assert from 'node:assert/strict'
import { DiscordAPIError } from 'discord.js'
import { createClosed, createRecent } from '../../../adapters/discord/recent.ts'
import { HoneError } from '../../../src/errors.ts'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import { type House, keptLog, openHouse, quickLimits } from './house.ts'

describe('Discord, when things go wrong', () => {
  let script: (text: string, nth: number) => Script
  let bot: FakeBot
  let house: House
  let anna: ReturnType<House['server']['person']>
  const logged = keptLog()
  const open = async (
    ...[options = {}, more]: Parameters<typeof openHouse> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    house = await openHouse(bot, { log: logged.log, register: false, ...(options as object) }, more)
    anna = house.server.person('anna')
  }
  const said = () => house.server.said(house.channel)
  const finished = () => said().filter(({ components }) => JSON.stringify(components).includes(':up:'))
  const replied = (count = 1) => house.server.until(() => finished().length >= count, `${count} finished replies`)
  /** A reply that waits in its middle until the promise is kept. */
  const held = () => {
    const hold = Promise.withResolvers<void>()
    script = () => ({ chunks: ['First half, ', hold.promise, 'second half.'] })
    return hold
  }
  const half = () =>
    house.server.until(() => said().some(({ content }) => content.startsWith('First half')), 'half a reply')

  beforeEach(() => {
    logged.lines.length = 0
    script = (text) => ({ chunks: [`You said: ${text}`] })
    bot = fakeBot({ script: (text, nth) => script(text, nth) })
  })
  afterEach(async () => house[Symbol.asyncDispose]())

  it('answers once, though the answer to its message was lost and it had to send again', async () => {
    await open()
    house.server.fail({ method: 'POST', path: /\/messages$/, status: 502, afterwards: true })
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    assert.equal(said().length, 1)
  })

  it('waits as long as a 429 says, and loses nothing', async () => {
    await open()
    const body = { message: 'You are being rate limited.', retry_after: 0.3, global: false }
    const headers = { 'retry-after': '1', 'x-ratelimit-scope': 'shared' }
    house.server.fail({ method: 'POST', path: /\/messages$/, status: 429, body, headers })
    const begun = performance.now()
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    assert.ok(performance.now() - begun >= 1000)
    assert.equal(finished()[0]?.content, 'You said: one')
  })

  it('shows the end of a reply though Discord failed again and again', async () => {
    await open()
    const hold = held()
    anna.say(house.channel, 'one', { mention: true })
    await half()
    for (let n = 0; n < 6; n++) house.server.fail({ method: 'PATCH', path: /\/messages\//, status: 500 })
    hold.resolve()
    await replied()
    assert.equal(finished()[0]?.content, 'First half, second half.')
  })

  const tooManyEdits = { status: 400, body: { code: 30046, message: 'Maximum number of edits reached' } }
  const refuseEdits = () => {
    for (let n = 0; n < 9; n++) house.server.fail({ method: 'PATCH', path: /\/messages\//, ...tooManyEdits })
  }

  it('sends the end of a reply anew where Discord takes no more edits, and leaves no half behind', async () => {
    await open()
    const hold = held()
    anna.say(house.channel, 'one', { mention: true })
    await half()
    refuseEdits()
    hold.resolve()
    await bot.idle()
    assert.deepEqual(
      said().map(({ content }) => content),
      ['First half, second half.'],
    )
    assert.equal(finished().length, 1)
    const [reply] = finished()
    const thread = `discord:${house.guild.id}:${house.channel.id}`
    assert.equal((await bot.store.messages.find({ thread, id: reply?.id ?? '' }))?.text, 'First half, second half.')
  })

  it('says so where Discord takes a reply in no form', async () => {
    await open()
    const hold = held()
    anna.say(house.channel, 'one', { mention: true })
    await half()
    refuseEdits()
    house.server.fail({ method: 'POST', path: /\/messages$/, status: 400, body: { code: 240000, message: 'Blocked' } })
    hold.resolve()
    await bot.idle()
    assert.deepEqual(
      said().map(({ content }) => content),
      ['⚠️ Discord did not take this answer.'],
    )
  })

  it('lets a reply go that was deleted while it was being written, and answers the next question', async () => {
    await open()
    const hold = held()
    anna.say(house.channel, 'one', { mention: true })
    await half()
    house.channel.messages.splice(
      house.channel.messages.findIndex(({ content }) => content.startsWith('First half')),
      1,
    )
    hold.resolve()
    await bot.idle()
    assert.match(String(bot.undelivered[0]), /not shown on Discord: its message was deleted/)
    script = () => ({ chunks: ['Another answer.'] })
    anna.say(house.channel, 'two', { mention: true })
    await replied()
    assert.deepEqual(
      said().map(({ content }) => content),
      ['Another answer.'],
    )
  })

  it('says why it does not answer a message', async () => {
    const { receive } = bot
    let why: HoneError | undefined = new HoneError('LIMIT', 'That is more than 20 questions in a minute.')
    bot = { ...bot, receive: (event) => (why ? Promise.reject(why) : receive(event)) }
    await open()
    const question = anna.say(house.channel, 'one', { mention: true })
    await house.server.until(() => said().length === 1, 'a word')
    assert.equal(said()[0]?.content, '⚠️ That is more than 20 questions in a minute.')
    assert.equal(said()[0]?.message_reference?.message_id, question.id)
    why = undefined
    anna.say(house.channel, 'two', { mention: true })
    await replied()
  })

  it('answers though the question was deleted', async () => {
    await open()
    const hold = Promise.withResolvers<void>()
    script = () => ({ chunks: [hold.promise, 'The answer.'] })
    const question = anna.say(house.channel, 'one', { mention: true })
    await house.server.until(() => bot.received.length === 1, 'the question')
    house.channel.messages.splice(house.channel.messages.indexOf(question), 1)
    hold.resolve()
    await replied()
  })

  it('answers where it was asked when it may not open a thread', async () => {
    await open({ threads: true })
    house.server.fail({ path: /\/threads$/, status: 403, body: { code: 50013, message: 'Missing Permissions' } })
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    await bot.idle()
    const [reply] = finished()
    assert.ok(reply)
    const thread = `discord:${house.guild.id}:${house.channel.id}`
    assert.ok(await bot.store.messages.find({ thread, id: reply.id }))
    const [again = ''] = /hone:retry:[^"]+/.exec(JSON.stringify(reply.components)) ?? []
    await anna.press(house.channel, reply, again)
    await replied(2)
    assert.equal(bot.received[1]?.thread, bot.received[0]?.thread)
  })

  it('asks no second time where it may not write', async () => {
    await open()
    house.channel.denied.add('send')
    for (const text of ['one', 'two', 'three']) anna.say(house.channel, text, { mention: true })
    await house.server.until(() => bot.received.length === 3, 'three questions')
    await bot.idle()
    assert.equal(bot.undelivered.length, 3)
    for (const error of bot.undelivered) assert.match(String(error), /may not write there any more/)
    assert.ok(house.server.state.limiter.invalid <= 2, `${house.server.state.limiter.invalid} refused requests`)
    assert.ok(logged.lines.some(({ event, fields }) => event === 'discord.send.failed' && fields.trouble === 'closed'))
  })

  it('stays far from the ban on refused requests, however often it is asked where it may not write', async () => {
    await open({}, { limits: { ...quickLimits, invalid: { limit: 5, windowMs: 600_000 } } })
    house.channel.denied.add('send').add('view')
    for (let n = 0; n < 40; n++) anna.say(house.channel, `question ${n}`, { mention: true })
    await house.server.until(() => bot.received.length === 40, 'all of them')
    await bot.idle()
    const elsewhere = house.server.newChannel(house.guild, 'open')
    anna.say(elsewhere, 'one', { mention: true })
    await house.server.until(() => JSON.stringify(house.server.said(elsewhere)).includes(':up:'), 'a reply elsewhere')
  })

  it('goes on as a message when the token of an interaction is over', async () => {
    await open({}, { interaction: { answerMs: 3000, tokenMs: 1000 } })
    const hold = held()
    await anna.command(house.channel, 'ask', [{ type: 3, name: 'question', value: 'one' }])
    await half()
    const { interactions, now } = house.server.state
    await house.server.until(
      () => [...interactions.values()].every(({ madeAt }) => now() - madeAt > 1000),
      'the end of the token',
    )
    hold.resolve()
    await replied()
    assert.deepEqual(
      said().map(({ content }) => content),
      ['First half, second half.'],
    )
  })

  const long = () => ({ chunks: [0, 1, 2].map((n) => `${n} ${'word '.repeat(300)}\n\n`) })
  const asks = () => anna.command(house.channel, 'ask', [{ type: 3, name: 'question', value: 'at length' }])

  it('writes each part of a long answer to /ask once, though Discord’s word of it was lost', async () => {
    script = long
    await open()
    for (let n = 0; n < 2; n++)
      house.server.fail({
        method: 'POST',
        path: /^\/(channels|webhooks)\/.*(messages|of-\d+)$/,
        status: 502,
        afterwards: true,
      })
    await asks()
    await replied()
    assert.deepEqual(
      said().map(({ content }) => content[0]),
      ['0', '1', '2'],
    )
  })

  it('writes a long answer to /ask where the bot may write nothing else', async () => {
    script = long
    await open()
    house.channel.denied.add('send')
    await asks()
    await replied()
    assert.deepEqual(
      said().map(({ content }) => content[0]),
      ['0', '1', '2'],
    )
  })

  it('remembers closed channels for a while, and no more than a thousand of them', () => {
    let now = 0
    const recent = createRecent(5 * 60_000, 1000, () => now)
    const closed = createClosed(recent)
    const refused = new DiscordAPIError({ code: 50013, message: '' }, 50013, 403, 'POST', '', {})
    for (let n = 0; n < 3000; n++) closed.note(String(n), refused)
    assert.equal(recent.size, 1000)
    assert.ok(closed.has('2999'))
    now = 10 * 60_000
    closed.note('3000', refused)
    assert.equal(recent.size, 1)
  })

  it('says something useful when a press can’t be taken', async () => {
    await open()
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    const [reply] = finished()
    assert.ok(reply)
    const { answer } = await anna.press(house.channel, reply, 'hone:correct:b_unknown')
    assert.match(JSON.stringify(answer?.data), /not known here/)
  })

  it('survives what discord.js can’t digest', async () => {
    await open()
    for (const [type, data] of [
      ['MESSAGE_CREATE', { id: '1', channel_id: house.channel.id, author: null }],
      ['MESSAGE_CREATE', null],
      ['INTERACTION_CREATE', { id: '2', type: 3 }],
      ['GUILD_CREATE', { id: '3' }],
      ['MESSAGE_REACTION_ADD', {}],
    ] as const) {
      house.server.gateway.raw(type, data)
    }
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    assert.ok(logged.lines.some(({ event }) => event === 'discord.dispatch.failed'))
  })

  it('throws nothing into the host when its own code throws', async () => {
    bot = { ...bot, receive: () => Promise.reject(new Error('the disk is gone')) }
    await open()
    anna.say(house.channel, 'one', { mention: true })
    await house.server.until(
      () => logged.lines.some(({ event }) => event === 'discord.event.failed'),
      'a line in the log',
    )
    const asked = await anna.command(house.channel, 'ask', [{ type: 3, name: 'question', value: 'two' }])
    assert.ok(asked.answer)
  })
})
