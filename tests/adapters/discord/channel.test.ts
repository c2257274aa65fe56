import type { Bot } from '../../../src/ports/bot.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { type ChannelHarness, channelContract } from '../../contracts/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { openHouse } from './house.ts'

describe('Discord as a channel', () => channelContract(harness))

async function harness(): Promise<ChannelHarness> {
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
