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

/** One line of `hone doctor`. */
export interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}
