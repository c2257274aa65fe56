import { Client, type ClientOptions, Events } from 'discord.js'
import { clientOptions, type DiscordOptions, discord } from '../../../adapters/discord/index.ts'
import { type Logger, silent } from '../../../src/log.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import { ownTime } from '../../fakes/clock.ts'
import { type FakeDiscord, type FakeDiscordOptions, fakeDiscord } from '../../fakes/discord/index.ts'

/** Windows so short that a test need not wait; the client learns them from the headers. */
export const quickLimits = {
  sends: { limit: 5, windowMs: 200 },
  edits: { limit: 5, windowMs: 200 },
  others: { limit: 50, windowMs: 100 },
} as const

/** A log that a test can look at. */
export function keptLog(): {
  readonly log: Logger
  readonly lines: { event: string; fields: Record<string, unknown> }[]
} {
  const lines: { event: string; fields: Record<string, unknown> }[] = []
  const keep = (event: string, fields: Record<string, unknown> = {}): void => void lines.push({ event, fields })
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log }
  return { log, lines }
}

/** A client of the real discord.js that talks to a local Discord. */
export function clientOf(server: FakeDiscord, options: DiscordOptions = {}, more: Partial<ClientOptions> = {}): Client {
  const wishes = { ...(options.listen ? { listen: options.listen } : {}), reactions: options.reactions ?? false }
  return new Client({
    ...clientOptions(wishes, { log: options.log ?? silent }),
    rest: { api: server.url, offset: 5 },
    ...more,
  })
}

/** Signs in and resolves once the client is ready. */
export async function signIn(client: Client, server: FakeDiscord): Promise<void> {
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve))
  await client.login(server.token)
  await ready
}

export interface House extends AsyncDisposable {
  readonly server: FakeDiscord
  readonly client: Client
  readonly handle: ReturnType<typeof discord>
  readonly guild: ReturnType<FakeDiscord['world']['guild']>
  readonly channel: ReturnType<FakeDiscord['world']['channel']>
}

/** A guild with one channel, and a bot in it. */
export async function openHouse(
  bot: Bot,
  given: DiscordOptions | ((channel: string) => DiscordOptions) = {},
  more: FakeDiscordOptions = {},
): Promise<House> {
  const server = await fakeDiscord({ limits: quickLimits, ...more })
  const guild = server.world.guild('Garden club')
  const channel = server.world.channel(guild, 'questions')
  const options = typeof given === 'function' ? given(channel.id) : given
  const client = clientOf(server, options)
  const handle = discord(client, bot, { wait: ownTime().wait, ...options })
  await signIn(client, server)
  return {
    server,
    client,
    handle,
    guild,
    channel,
    async [Symbol.asyncDispose]() {
      handle.detach()
      await client.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}
