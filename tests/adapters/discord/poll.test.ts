import assert from 'node:assert/strict'
import { answersOf } from '../../../adapters/discord/poll.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { type House, keptLog, openHouse } from './house.ts'

describe('a poll between profiles on Discord', () => {
  const bot = fakeBot()
  const { log, lines } = keptLog()
  let house: House
  before(async () => {
    await bot.store.profiles.put('desk', '3f2a9c', 'Be short.')
    await bot.store.profiles.put('desk', '77b1e0', 'Explain.')
    house = await openHouse(bot, { log })
    await house.server.until(() => lines.some(({ event }) => event === 'discord.commands'), 'the owner')
  })
  after(async () => house[Symbol.asyncDispose]())
  const choices = { first: '3f2a Short and dry', second: '77b1e0' }
  const open = (who: ReturnType<House['server']['person']>, values: Record<string, string | number> = choices) => {
    const options = Object.entries(values).map(([name, value]) => ({
      type: typeof value === 'number' ? 4 : 3,
      name,
      value,
    }))
    return who.command(house.channel, 'hone-admin', [{ type: 1, name: 'poll', options }])
  }
  const polls = () => house.server.said(house.channel).filter(({ poll }) => poll)

  it('is opened by an admin, and is Discord’s own', async () => {
    const { server } = house
    const { answer } = await open(server.owner(), { ...choices, question: 'Short or long?', hours: 2 })
    assert.equal(answer?.type, 4)
    assert.equal(Number(answer?.data.flags ?? 0) & 64, 0)
    const [{ poll } = {}] = polls()
    assert.deepEqual(poll, {
      question: { text: 'Short or long?' },
      answers: ['Short and dry (3f2a9c)', '77b1e0'].map((text) => ({ poll_media: { text, emoji: null } })),
      duration: 2,
      allow_multiselect: false,
    })
  })

  it('is for admins, and for versions that are there', async () => {
    const { server } = house
    const before = polls().length
    const refused = await open(server.person('anna'))
    assert.match(JSON.stringify(refused.answer?.data), /for admins/)
    const unknown = await open(server.owner(), { ...choices, second: 'ffff' })
    assert.match(JSON.stringify(unknown.answer?.data), /no one profile `ffff`/)
    const twice = await open(server.owner(), { ...choices, second: '3f2a9c' })
    assert.match(JSON.stringify(twice.answer?.data), /twice/)
    assert.equal(polls().length, before)
  })

  it('gives no votes and no pairs: nobody saw two replies to one prompt', async () => {
    const { server, channel, guild } = house
    await open(server.owner())
    const [poll] = polls()
    const anna = server.person('anna')
    const vote = { user_id: anna.user.id, channel_id: channel.id, guild_id: guild.id, answer_id: 1 }
    server.gateway.raw('MESSAGE_POLL_VOTE_ADD', { ...vote, message_id: poll?.id })
    anna.say(channel, 'hello', { mention: true })
    await server.until(() => bot.received.length === 1, 'a question after the vote')
    assert.deepEqual(bot.said, [])
  })

  it('completes versions of the profile', async () => {
    const option = { type: 3, name: 'second', value: '77', focused: true }
    const options = [{ type: 1, name: 'poll', options: [option] }]
    const { answer } = await house.server.owner().complete(house.channel, 'hone-admin', options)
    const found = (answer?.data.choices ?? []) as { name: string; value: string }[]
    assert.deepEqual(
      found.map(({ value }) => value),
      ['77b1e0'],
    )
    assert.match(found[0]?.name ?? '', /^77b1e0 · desk · 20/)
  })

  it('names each choice within what Discord takes', () => {
    const kept = [{ name: 'desk', version: '3f2a9c', at: new Date(0) }]
    const [answer = ''] = answersOf([`3f2a ${'long '.repeat(30)}`], kept)
    assert.equal(answer.length, 55)
    assert.match(answer, / \(3f2a9c\)$/)
  })
})
