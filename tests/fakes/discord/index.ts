import { openGateway } from './gateway.ts'
import { createPerson, until } from './people.ts'
import { openRest } from './rest.ts'
import { createState, type FakeDiscordOptions, type Fault } from './state.ts'
import { type ApiMessage, type Channel, channelPayload, type Guild } from './world.ts'

export type { FakePerson } from './people.ts'
export type { FakeDiscordOptions } from './state.ts'
export type { ApiMessage, Channel, Guild } from './world.ts'

/**
 * Discord on loopback: its REST API with the limits of each bucket, and its gateway. It refuses what Discord refuses.
 *
 * @example
 * await using discord = await fakeDiscord()
 * const client = new Client({ intents, rest: { api: discord.url } })
 */
export async function fakeDiscord(options: FakeDiscordOptions = {}) {
  const state = createState(options)
  const gateway = await openGateway(state)
  const rest = await openRest(state)
  const { world } = state
  return {
    world,
    gateway,
    state,
    get url() {
      return state.url
    },
    token: state.token,
    /** A channel that is made while the bot is there. */
    newChannel(guild: Guild, name: string): Channel {
      const channel = world.channel(guild, name)
      state.dispatch('CHANNEL_CREATE', channelPayload(channel), guild.id)
      return channel
    },
    person: (name: string) => createPerson(state, world.user(name)),
    /** Who the bot's application belongs to. */
    owner: () => createPerson(state, state.application.owner),
    /** Plays a failure to the next request that matches. */
    fail: (fault: Fault) => void state.faults.push(fault),
    until: (holds: () => boolean, what: string, timeoutMs?: number) => until(state, holds, what, timeoutMs),
    /** Requests that were too many. */
    tooMany: (): readonly string[] =>
      state.calls.filter(({ status }) => status === 429).map(({ method, path }) => `${method} ${path}`),
    /** What the bot wrote in a channel, oldest first. */
    said: (channel: Channel): readonly ApiMessage[] =>
      channel.messages.filter(({ author }) => author.id === world.bot.id),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await rest[Symbol.asyncDispose]()
    },
  }
}
export type FakeDiscord = Awaited<ReturnType<typeof fakeDiscord>>
