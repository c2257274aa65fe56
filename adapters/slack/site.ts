import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { ThreadId } from '../../src/ports/channel.ts'
import type { Client, SlackApi } from './api.ts'
import type { Sessions } from './session.ts'

/** A file that an admin shared, to be read into the knowledge of one channel. */
export interface FileToRead {
  readonly id: string
  readonly name: string
  readonly bytes: Uint8Array
  readonly tenant: string
  /** Those who may see what it says: the people of the channel. */
  readonly scope: string
}

/** Reads a file; answers how many passages it gave. A HoneError says in words what is wrong with it. */
export type ReadFile = (file: FileToRead) => Promise<number>

/** What every part of the channel works with. */
export interface Site {
  readonly bot: Bot
  readonly api: SlackApi
  readonly log: Logger
  readonly sessions: Sessions
  /** Whether Slack's streaming is used at all. */
  readonly streaming: boolean
  /** False: the host answers itself, and Hone only takes what people say about it. */
  readonly answers: boolean
  readonly command: string
  readonly prompts: readonly string[]
  /** Other workspaces whose people are answered and heard in shared channels. */
  readonly partners: readonly string[]
  readonly read?: ReadFile
  /** Events that are being given to the bot, or wait for their reply. One that was accepted was never answered before. */
  readonly arriving: Map<string, Promise<'accepted' | 'duplicate'>>
  /** The event that is being answered in a thread. */
  readonly answering: Map<ThreadId, string>
  /** Aborted once the channel is detached: what can't be told now is told after the next start. */
  readonly leaving: AbortSignal
  readonly now: () => number
  readonly wait?: (ms: number) => Promise<unknown>
  /** True the first time something is named: a mention comes as two events, and people press twice. */
  once(what: string): boolean
  clientOf(team: string): Client
  /** The bot's own user id in a workspace. */
  self(team: string): Promise<string>
  isAdmin(team: string, user: string): Promise<boolean>
}

const remembered = 1000

/** Answers whether it hears something for the first time. Of very much, the oldest is forgotten. */
export function createOnce(): Site['once'] {
  const known = new Set<string>()
  return function once(what) {
    if (known.has(what)) return false
    known.add(what)
    for (const oldest of known) {
      if (known.size <= remembered) break
      known.delete(oldest)
    }
    return true
  }
}
