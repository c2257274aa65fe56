import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'

/** A channel that `hone serve` built from the settings. */
export interface ServedChannel extends AsyncDisposable {
  readonly name: string
  /** Answers the channel's webhooks on Hone's own port; undefined for requests that aren't its own. */
  fetch?(request: Request): Promise<Response | undefined>
}

/** What a platform is told about the bot, and what to do with it. */
export interface AppManifest {
  readonly manifest: unknown
  /** In words, with the link where there is one. */
  readonly next: string
}

/** Builds one channel, or nothing when the settings don't ask for it. Its SDK is imported only then. */
export type OpenChannel = (bot: Bot, config: Config, log: Logger) => Promise<ServedChannel | undefined>

const known: readonly OpenChannel[] = []

/**
 * Every channel that the settings configure, attached to the bot.
 *
 * @throws HoneError CONFIG when a channel is configured by half, or its SDK isn't installed.
 */
export async function openChannels(bot: Bot, config: Config, log: Logger): Promise<AsyncDisposable & Webhooks> {
  await using stack = new AsyncDisposableStack()
  const open: ServedChannel[] = []
  for (const channel of known) {
    const served = await channel(bot, config, log)
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
