import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { discord } from '../../../adapters/discord/index.ts'
import { threadName } from '../../../adapters/discord/place.ts'
import type { InboundMessage } from '../../../src/ports/channel.ts'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import { type House, openHouse } from './house.ts'

const sources = [{ number: 1, title: 'Time off - Vacation', document: 'time-off.md', text: 'Everyone gets 25 days.' }]

describe('talking with the bot on Discord', () => {
  let script: (text: string, nth: number) => Script
  let bot: FakeBot
  let house: House
  let anna: ReturnType<House['server']['person']>
  const open = async (...how: Parameters<typeof openHouse> extends [unknown, ...infer Rest] ? Rest : never) => {
    house = await openHouse(bot, ...how)
    anna = house.server.person('anna')
  }
  const said = () => house.server.said(house.channel)
  const texts = () => said().map(({ content }) => content)
  /** Waits until the newest message is finished: it has its thumbs. */
  const replied = (count = 1, channel = house.channel) =>
    house.server.until(
      () =>
        house.server.said(channel).filter(({ components }) => JSON.stringify(components).includes(':up:')).length >=
        count,
      `${count} finished replies`,
    )

  beforeEach(() => {
    script = (text) => ({ chunks: [`You said: ${text}`] })
    bot = fakeBot({ script: (text, nth) => script(text, nth) })
  })
  afterEach(async () => house[Symbol.asyncDispose]())

  it('answers a mention with a reply to it, with sources and thumbs, without the message content intent', async () => {
    script = () => ({ chunks: ['Twenty-five ', 'days [1].'], sources })
    await open()
    const question = anna.say(house.channel, 'How many days?', { mention: true })
    await replied()
    const [reply] = said()
    assert.equal(reply?.content, 'Twenty-five days [1].\n\n-# [1] Time off - Vacation · time-off.md')
    assert.equal(reply?.message_reference?.message_id, question.id)
    const buttons = JSON.stringify(reply?.components)
    for (const action of ['up', 'down', 'retry', 'correct']) assert.match(buttons, new RegExp(`hone:${action}:`))
    assert.equal((bot.received[0] as InboundMessage).text, 'How many days?')
  })

  it('hides the reasons of an answer as a spoiler that nothing in them can end', async () => {
    const explanation = { text: 'The page || says so.\n\nSee https://evil.example', show: 'folded' } as const
    script = () => ({ chunks: ['Twenty-five days.'], explanation })
    await open()
    anna.say(house.channel, 'How many days?', { mention: true })
    await replied()
    assert.equal(
      said()[0]?.content,
      'Twenty-five days.\n\n-# Why? Press to read.\n||The page ¦¦ says so.||\n\n||See `https://evil.example`||',
    )
  })

  it('says of a message, and of an /ask, whether an admin wrote it', async () => {
    await open()
    house.handle.detach()
    const handle = discord(house.client, bot, { admins: [anna.user.id] })
    anna.say(house.channel, 'one', { mention: true })
    await house.server.until(() => bot.received.length === 1, 'a mention')
    await anna.command(house.channel, 'ask', [{ type: 3, name: 'question', value: 'two' }])
    await house.server.until(() => bot.received.length === 2, 'an /ask')
    house.server.person('bob').say(house.channel, 'three', { mention: true })
    await house.server.until(() => bot.received.length === 3, 'another mention')
    await bot.idle()
    handle.detach()
    assert.deepEqual(
      bot.received.map(({ admin }) => admin),
      [true, true, undefined],
    )
  })

  it('pings nobody and has no link fetched', async () => {
    script = () => ({ chunks: ['@everyone look at https://evil.example/?q=secret'] })
    await open()
    anna.say(house.channel, 'hello', { mention: true })
    await replied()
    const { body } = house.server.state.calls.find(({ path }) => path.endsWith('/messages')) ?? {}
    assert.deepEqual(body?.allowed_mentions, { parse: [], replied_user: false })
    assert.equal(Number(body?.flags) & 4, 4)
  })

  it('lets nobody follow a link that leads to none of its sources, in a growing reply neither', async () => {
    const hold = Promise.withResolvers<void>()
    const chunks = ['See [the page](https://docs.example/a) or [this](https://evil.example/?q=secret). ', hold.promise]
    const source = {
      number: 1,
      title: 'Time off',
      document: 'time-off.md',
      text: '',
      url: 'https://docs.example/leave',
    }
    script = () => ({ chunks: [...chunks, 'Done.'], sources: [source] })
    await open()
    anna.say(house.channel, 'hello', { mention: true })
    await house.server.until(() => said().length > 0, 'the first words')
    const safe = 'See [the page](https://docs.example/a) or this (`https://evil.example/?q=secret`).'
    assert.equal(texts()[0], safe)
    hold.resolve()
    await replied()
    assert.ok(texts()[0]?.startsWith(`${safe} Done.\n`))
  })

  it('closes what is still open while a reply grows', async () => {
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    script = () => ({ chunks: ['Use **bo', first.promise, 'ld**:\n```ts\nconst a', second.promise, ' = 1\n```'] })
    await open()
    anna.say(house.channel, 'hello', { mention: true })
    await house.server.until(() => texts()[0] === 'Use **bo**', 'half a word in bold')
    first.resolve()
    await house.server.until(() => texts()[0] === 'Use **bold**:\n```ts\nconst a\n```', 'half a block of code')
    second.resolve()
    await replied()
    assert.equal(texts()[0], 'Use **bold**:\n```ts\nconst a = 1\n```')
  })

  it('puts a block of code that does not fit any more into the next message, whole', async () => {
    const code = `\`\`\`ts\n${'const a = 1\n'.repeat(60)}\`\`\``
    script = () => ({ chunks: [`${'word '.repeat(300).trim()}.\n\n`, code] })
    await open()
    anna.say(house.channel, 'hello', { mention: true })
    await replied()
    assert.equal(texts()[1], code)
  })

  it('shows that it is working until the first text', async () => {
    const hold = Promise.withResolvers<void>()
    script = () => ({ chunks: [hold.promise, 'Done.'] })
    await open()
    anna.say(house.channel, 'hello', { mention: true })
    await house.server.until(() => house.server.state.typing.length > 0, 'typing')
    hold.resolve()
    await replied()
  })

  it('follows a reply to it, a direct message, and /ask', async () => {
    await open()
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    const [first] = said()
    assert.ok(first)
    anna.say(house.channel, 'two', { replyTo: first })
    await replied(2)
    const direct = house.server.world.direct(anna.user)
    anna.say(direct, 'three')
    await replied(1, direct)
    const asked = await anna.command(house.channel, 'ask', [{ type: 3, name: 'question', value: 'four' }])
    assert.equal(asked.answer?.type, 5)
    await replied(3)
    assert.deepEqual(
      bot.received.map((event) => event.kind === 'message' && event.text),
      ['one', 'two', 'three', 'four'],
    )
    assert.match(texts().at(-1) ?? '', /You said: four/)
  })

  it('keeps servers and direct messages apart as tenants', async () => {
    await open()
    anna.say(house.channel, 'one', { mention: true })
    const direct = house.server.world.direct(anna.user)
    anna.say(direct, 'two')
    await replied(1, direct)
    await replied()
    assert.deepEqual(
      bot.received.map(({ tenant }) => tenant),
      [`discord:${house.guild.id}`, `discord:@${direct.id}`],
    )
  })

  it('is silent when people talk to each other, and to bots', async () => {
    await open()
    anna.say(house.channel, 'Lunch?')
    anna.say(house.channel, 'Hello bot', { mention: true })
    await replied()
    assert.equal(bot.received.length, 1)
  })

  it('listens to a whole channel where it was told to', async () => {
    await open((channel) => ({ listen: [channel] }), { contentIntent: true })
    const elsewhere = house.server.world.channel(house.guild, 'elsewhere')
    anna.say(elsewhere, 'nobody is asked')
    anna.say(house.channel, 'a question')
    await replied()
    assert.deepEqual(
      bot.received.map((event) => event.kind === 'message' && event.text),
      ['a question'],
    )
  })

  it('opens a thread for a question where it was told to, and goes on in it', async () => {
    await open({ threads: true })
    const question = anna.say(house.channel, 'How many days of vacation do I get?', { mention: true })
    await house.server.until(() => house.server.world.channels.has(question.id), 'a thread')
    const thread = house.server.world.channels.get(question.id)
    assert.ok(thread)
    await replied(1, thread)
    assert.equal(thread.name, 'How many days of vacation do I get?')
    assert.deepEqual(texts(), [])
    anna.say(thread, 'And in Riga?', { mention: true })
    await replied(2, thread)
    assert.equal(bot.received[0]?.thread, bot.received[1]?.thread)
  })

  it('names a thread without cutting in half what people see as one character', () => {
    const family = '👨‍👩‍👧'
    const name = threadName(`${'x'.repeat(87)}${family} and\nmore`)
    assert.equal(name, 'x'.repeat(87))
    assert.equal(threadName(`What  about\n${family}?`), `What about ${family}?`)
  })

  it('splits a long reply and puts the thumbs under its end', async () => {
    const paragraph = `${'word '.repeat(150).trim()}.`
    script = () => ({ chunks: Array.from({ length: 6 }, (_, n) => `${n} ${paragraph}\n\n`) })
    await open()
    anna.say(house.channel, 'at length', { mention: true })
    await replied()
    assert.equal(said().length, 3)
    assert.deepEqual(
      said().map(({ components }) => components.length),
      [0, 0, 1],
    )
    assert.deepEqual(texts().join('\n\n').match(/^\d/gm), ['0', '1', '2', '3', '4', '5'])
  })

  it('stops a reply for the one who asked, and for nobody else', async () => {
    const never = new Promise(() => {})
    script = () => ({ chunks: ['Half a', never, ' reply'] })
    await open()
    const bob = house.server.person('bob')
    anna.say(house.channel, 'go on', { mention: true })
    await house.server.until(() => JSON.stringify(said()).includes(':stop:'), 'a stop button')
    const [reply] = said()
    assert.ok(reply)
    const id = /"(hone:stop:[^"]+)"/.exec(JSON.stringify(reply.components))?.[1] ?? ''
    const refused = await bob.press(house.channel, reply, id)
    assert.match(JSON.stringify(refused.answer?.data), /Only the one who asked/)
    await anna.press(house.channel, reply, id)
    await replied()
    assert.equal(texts()[0], 'Half a')
    await bot.idle()
    const late = await anna.press(house.channel, reply, id)
    assert.match(JSON.stringify(late.answer?.data), /over already/)
  })

  it('leaves alone what is the host’s', async () => {
    await open()
    const heard: string[] = []
    house.client.on('interactionCreate', (interaction) => {
      if (!interaction.isButton()) return
      heard.push(interaction.customId)
      void interaction.deferUpdate()
    })
    anna.say(house.channel, 'one', { mention: true })
    await replied()
    const [reply] = said()
    assert.ok(reply)
    await anna.press(house.channel, reply, 'my-own-button')
    assert.deepEqual(heard, ['my-own-button'])
  })

  it('hears nothing any more once it is detached', async () => {
    await open()
    house.handle.detach()
    anna.say(house.channel, 'hello', { mention: true })
    const heard = new Promise((resolve) => house.client.once('messageCreate', resolve))
    anna.say(house.channel, 'hello', { mention: true })
    await heard
    await sleep(0)
    assert.deepEqual(bot.received, [])
  })
})
