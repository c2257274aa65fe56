import assert from 'node:assert/strict'
import type { Bot } from '../../../src/ports/bot.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { type ChannelHarness, channelContract } from '../../contracts/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { type House, openHouse } from './house.ts'

describe('Discord as a channel', () => {
  channelContract(() => harness())

  it('says in a thread what concerns all, and to a person directly what is for them', async () => {
    const { channel, event, house, close } = await harness()
    const { person, thread } = event('first')
    await channel.notice?.(thread, 'The run ended.')
    await channel.notice?.(thread, 'It was done.', person)
    const { server } = house
    const texts = (where: House['channel']) => server.said(where).map(({ content }) => content)
    const direct = [...server.world.channels.values()].find(({ recipient }) => recipient?.username === 'anna')
    assert.ok(direct)
    assert.deepEqual([texts(house.channel), texts(direct)], [['The run ended.'], ['It was done.']])
    await close?.()
  })

  it('says in the thread what it may not say directly', async () => {
    const { channel, event, house, close } = await harness()
    const { person, thread } = event('first')
    house.server.state.shy.add(person.id.replace('discord:', ''))
    await channel.notice?.(thread, 'It was done.', person)
    assert.deepEqual(
      house.server.said(house.channel).map(({ content }) => content),
      ['It was done.'],
    )
    await close?.()
  })

  it('tells a person alone directly or not at all', async () => {
    const { channel, event, house, close } = await harness()
    const { person, thread } = event('first')
    assert.equal(await channel.tell?.(person, 'Your vote …', [thread]), true)
    const direct = [...house.server.world.channels.values()].find(({ recipient }) => recipient?.username === 'anna')
    assert.ok(direct)
    house.server.state.shy.add(person.id.replace('discord:', ''))
    assert.equal(await channel.tell?.(person, 'Again …', [thread]), false)
    const texts = (where: House['channel']) => house.server.said(where).map(({ content }) => content)
    assert.deepEqual([texts(direct), texts(house.channel)], [['Your vote …'], []])
    await close?.()
  })

  it('leaves for the next start what it can’t say because Discord fails', async () => {
    const { channel, event, house, close } = await harness()
    for (let n = 0; n < 4; n++) house.server.fail({ method: 'POST', path: /\/messages$/, status: 503 })
    await assert.rejects(async () => channel.notice?.(event('first').thread, 'The run ended.'))
    await close?.()
  })
})

async function harness(): Promise<ChannelHarness & { readonly house: House }> {
  const attached = Promise.withResolvers<Channel>()
  const bot: Bot = {
    ...fakeBot(),
    attach(channel) {
      attached.resolve(channel)
      return () => undefined
    },
  }
  const house = await openHouse(bot, { register: false })
  const anna = house.server.person('anna')
  // People ask where the bot isn't addressed, so that only the contract answers.
  const asked = new Map(['first', 'second'].map((name) => [name, anna.say(house.channel, name)]))
  const tenant = `discord:${house.guild.id}`
  return {
    house,
    channel: await attached.promise,
    event(name) {
      const { id } = asked.get(name) ?? { id: '0' }
      const place = { channel: 'discord', tenant, thread: `${tenant}:${house.channel.id}`, scopes: [], at: new Date(0) }
      const person = { id: `discord:${anna.user.id}`, name: 'anna' }
      return { kind: 'message', text: name, id: `discord:${house.channel.id}:${id}:${id}`, person, ...place }
    },
    shown: async () =>
      house.server
        .said(house.channel)
        .map(({ content }) => content)
        .join('\n'),
    close: async () => house[Symbol.asyncDispose](),
  }
}
