import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { ThreadId } from '../../src/ports/channel.ts'
import type { SlackApi } from './api.ts'
import type { Heard } from './parse/event.ts'
import type { Sessions } from './session.ts'

/** What every part of the channel works with. */
export interface Site {
  readonly bot: Bot
  readonly api: SlackApi
  readonly log: Logger
  readonly sessions: Sessions
  /** Whether Slack's streaming is used at all. */
  readonly streaming: boolean
  readonly command: string
  readonly prompts: readonly string[]
  /** Takes files that were shared with a message; true when the message was about nothing else. */
  readonly files?: (heard: Heard) => Promise<boolean>
  /** Events that came in by this process: nobody else can have answered them. */
  readonly fresh: Set<string>
  /** The event that is being answered in a thread. */
  readonly answering: Map<ThreadId, string>
  readonly now: () => number
  readonly wait?: (ms: number) => Promise<unknown>
  /** The bot's own user id in a workspace. */
  self(team: string): Promise<string>
  isAdmin(team: string, user: string): Promise<boolean>
}
