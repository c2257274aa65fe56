import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import { openDiscord } from './discord.ts'
import type { ChannelParts, OpenChannel, ServedChannel } from './served.ts'
import { openSlack } from './slack.ts'
import { openTeams } from './teams.ts'

const known: readonly OpenChannel[] = [openSlack, openTeams, openDiscord]

/**
 * Every channel that the settings configure, attached to the bot.
 *
 * @throws HoneError CONFIG when a channel is configured by half, or its SDK isn't installed.
 */
export async function openChannels(
  bot: Bot,
  config: Config,
  log: Logger,
  parts: ChannelParts,
): Promise<AsyncDisposable & Webhooks> {
  await using stack = new AsyncDisposableStack()
  const open: ServedChannel[] = []
  for (const channel of known) {
    const served = await channel(bot, config, log, parts)
    if (served) open.push(stack.use(served))
  }
  const opened = stack.move()
  return {
    names: open.map(({ name }) => name),
    async fetch(request) {
      for (const channel of open) {
        const response = await channel.fetch?.(request)
        if (response) return response
      }
      return undefined
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

export interface Webhooks {
  readonly names: readonly string[]
  fetch(request: Request): Promise<Response | undefined>
}
