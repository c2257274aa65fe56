import assert from 'node:assert/strict'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import type { ApiMessage } from '../../fakes/discord/index.ts'
import { type House, openHouse } from './house.ts'

describe('what people say about replies on Discord', () => {
  let script: (text: string, nth: number) => Script
  let bot: FakeBot
  let house: House
  let anna: ReturnType<House['server']['person']>
  beforeEach(() => {
    script = (text, nth) => ({ chunks: [`Answer ${nth} to ${text}`] })
    bot = fakeBot({ script: (text, nth) => script(text, nth) })
  })
  afterEach(async () => house[Symbol.asyncDispose]())

  const finished = (): readonly ApiMessage[] =>
    house.server.said(house.channel).filter(({ components }) => /:(up|duel-left):/.test(JSON.stringify(components)))
  /** Asks, and resolves with the finished reply. */
  const ask = async (options: Parameters<typeof openHouse>[1] = {}): Promise<ApiMessage> => {
    house = await openHouse(bot, options)
    anna = house.server.person('anna')
    anna.say(house.channel, 'one', { mention: true })
    await house.server.until(() => finished().length === 1, 'a reply')
    await bot.idle()
    return finished()[0] as ApiMessage
  }
  const idOf = (message: ApiMessage, action: string): string =>
    new RegExp(`"(hone:${action}:[^"]+)"`).exec(JSON.stringify(message.components))?.[1] ?? ''
  const press = (message: ApiMessage, action: string) => anna.press(house.channel, message, idOf(message, action))
  const votes = () =>
    bot.said.map((event) => (event.kind === 'vote' ? `${event.verdict} ${event.reason ?? ''}`.trim() : event.kind))

  it('keeps a thumb before it says thanks, and lets it be withdrawn', async () => {
    const reply = await ask()
    const { answer, channel } = await press(reply, 'up')
    assert.deepEqual(votes(), ['up'])
    assert.equal(Number(answer?.data.flags) & 64, 64)
    assert.equal(channel, house.channel.id)
    const withdraw = /"(hone:withdraw:[^"]+)"/.exec(JSON.stringify(answer?.data))?.[1] ?? ''
    await anna.press(house.channel, reply, withdraw)
    assert.deepEqual(votes(), ['up', 'none'])
  })

  it('asks for a reason and a better answer after a thumb down, which is kept already', async () => {
    const reply = await ask()
    const { answer } = await press(reply, 'down')
    assert.equal(answer?.type, 9)
    assert.deepEqual(votes(), ['down'])
    const form = String(answer?.data.custom_id)
    const sent = await anna.submit(house.channel, form, { reason: 'Incomplete', better: 'Just 25.' })
    assert.deepEqual(votes(), ['down', 'down Incomplete', 'correction'])
    assert.match(JSON.stringify(sent.answer?.data), /kept as the better one/)
  })

  it('changes a vote', async () => {
    const reply = await ask()
    await press(reply, 'up')
    await press(reply, 'down')
    assert.deepEqual(votes(), ['up', 'down'])
    const [turn] = bot.said.map((event) => event.kind === 'vote' && event.turn)
    const { votes: kept } = await bot.store.feedback.ofTurn(String(turn))
    assert.deepEqual(
      kept.map(({ verdict }) => verdict),
      ['down'],
    )
  })

  it('opens the form for a better answer with the reply in it', async () => {
    const reply = await ask()
    const { answer } = await press(reply, 'correct')
    assert.match(JSON.stringify(answer?.data), /"value":"Answer 1 to one"/)
  })

  it('tries again with a sibling that answers the same message', async () => {
    const reply = await ask()
    const { answer } = await press(reply, 'retry')
    assert.equal(answer?.type, 6)
    await house.server.until(() => finished().length === 2, 'a second reply')
    assert.match(finished()[1]?.content ?? '', /Answer 2 to one/)
    assert.equal(finished()[1]?.message_reference?.message_id, reply.id)
  })

  it('reaches no reply of another channel or server, whatever a press carries', async () => {
    const reply = await ask()
    const { world } = house.server
    const bob = house.server.person('bob')
    const elsewhere = [
      world.channel(house.guild, 'elsewhere'),
      world.channel(world.guild('Another club'), 'questions'),
      world.direct(bob.user),
    ]
    for (const channel of elsewhere) {
      for (const action of ['retry', 'correct', 'up', 'down', 'withdraw', 'why', 'duel-left']) {
        const id = idOf(reply, 'up').replace(':up:', `:${action}:`)
        const { answer } = await bob.press(channel, reply, id)
        assert.match(JSON.stringify(answer?.data), /not known here/, action)
      }
      const { answer } = await bob.submit(channel, idOf(reply, 'correct'), { better: 'Mine.' })
      assert.match(JSON.stringify(answer?.data), /not known here/)
    }
    assert.deepEqual(votes(), [])
    assert.equal(bot.received.length, 1)
  })

  it('offers both in the menu of a message, and only for its own', async () => {
    const reply = await ask()
    const why = await anna.menu(house.channel, 'Why this answer?', reply)
    assert.match(JSON.stringify(why.answer?.data), /Version \*\*v0\*\*/)
    const form = await anna.menu(house.channel, 'Suggest a better answer', reply)
    assert.equal(form.answer?.type, 9)
    const own = anna.say(house.channel, 'my own words')
    const refused = await anna.menu(house.channel, 'Why this answer?', own)
    assert.match(JSON.stringify(refused.answer?.data), /not one of my answers/)
  })

  it('finds the reply behind a message without buttons', async () => {
    script = () => ({ chunks: [`${'long '.repeat(300)}.\n\n`, `${'longer '.repeat(250)}.`] })
    await ask()
    const [first] = house.server.said(house.channel)
    assert.deepEqual(first?.components, [])
    const why = await anna.menu(house.channel, 'Why this answer?', first as ApiMessage)
    assert.match(JSON.stringify(why.answer?.data), /Version/)
  })

  it('shows a blind duel and names the versions once it is decided', async () => {
    script = () => ({ chunks: ['Left text'], version: 'v1', against: { text: 'Right text', version: 'v2' } })
    const duel = await ask()
    assert.match(duel.content, /### A\nLeft text\n\n### B\nRight text/)
    assert.doesNotMatch(JSON.stringify(duel), /\bv[12]\b/)
  })

  it('takes no thumb for a duel, and tells nobody its versions before it is decided', async () => {
    script = () => ({ chunks: ['Left text'], version: 'v1', against: { text: 'Right text', version: 'v2' } })
    const duel = await ask({ reactions: true })
    anna.react(house.channel, duel, '👍')
    const why = await anna.menu(house.channel, 'Why this answer?', duel)
    assert.match(JSON.stringify(why.answer?.data), /two answers/)
    assert.doesNotMatch(JSON.stringify(why.answer?.data), /\bv[12]\b/)
    assert.deepEqual(votes(), [])
  })

  it('leaves the host that answers by itself its own /ask', async () => {
    house = await openHouse(bot, { mode: 'observe' })
    anna = house.server.person('anna')
    house.client.on('interactionCreate', (interaction) => {
      if (interaction.isChatInputCommand()) void interaction.reply('Mine.')
    })
    const { answer } = await anna.command(house.channel, 'ask', [{ type: 3, name: 'question', value: 'one' }])
    assert.equal(answer?.data.content, 'Mine.')
    assert.deepEqual(bot.received, [])
  })

  it('counts reactions where it was told to, and takes them back', async () => {
    const reply = await ask({ reactions: true })
    anna.react(house.channel, reply, '👍')
    await house.server.until(() => bot.said.length === 1, 'a vote')
    anna.react(house.channel, reply, '👍', 'REMOVE')
    await house.server.until(() => bot.said.length === 2, 'its withdrawal')
    assert.deepEqual(votes(), ['up', 'none'])
  })

  it('leaves answering to a host that does it by itself, and takes the votes', async () => {
    house = await openHouse(bot, { mode: 'observe' })
    anna = house.server.person('anna')
    const question = anna.say(house.channel, 'one', { mention: true })
    const tenant = `discord:${house.guild.id}`
    const place = { tenant, channel: 'discord', thread: `${tenant}:${house.channel.id}`, at: new Date() }
    const prompt = [{ role: 'user' as const, content: 'one' }]
    const usage = { prompt: 1, evaluated: 1, completion: 1 }
    const turn = {
      id: 'b_1',
      role: 'assistant' as const,
      parent: null,
      version: 'host',
      profile: 'host',
      text: 'Mine.',
    }
    await bot.store.turns.appendBot([{ ...turn, ...place, prompt, usage, sources: [] }], question.id)
    const channel = await house.client.channels.fetch(house.channel.id)
    assert.ok(channel?.isSendable())
    await channel.send({ content: 'Mine.', components: [house.handle.feedbackRow('b_1')] })
    const [reply] = house.server.said(house.channel)
    assert.equal(idOf(reply as ApiMessage, 'retry'), '')
    await press(reply as ApiMessage, 'up')
    assert.deepEqual(votes(), ['up'])
    assert.deepEqual(bot.received, [])
  })
})
