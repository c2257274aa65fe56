import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import type { Knowledge } from '../ports/knowledge.ts'
import type { ProfileShelf } from '../profiles.ts'

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
  /** A package that the platform wants instead of the bare manifest. */
  readonly file?: { readonly name: string; readonly bytes: Uint8Array }
}

/** Parts of the house that a channel may need, made when they are asked for. */
export interface ChannelParts {
  knowledge(): Promise<Knowledge>
  profiles(): Promise<Pick<ProfileShelf, 'serving'>>
}

/** Builds one channel, or nothing when the settings don't ask for it. Its SDK is imported only then. */
export type OpenChannel = (
  bot: Bot,
  config: Config,
  log: Logger,
  parts: ChannelParts,
) => Promise<ServedChannel | undefined>

/** One line of `hone doctor`. */
export interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}
