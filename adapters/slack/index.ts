import type { App } from '@slack/bolt'
import { type Logger, silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { createAdmins } from './admins.ts'
import { type Client, createApi } from './api.ts'
import { channelOf } from './channel.ts'
import { resumeFiles } from './files.ts'
import { listen } from './listen.ts'
import { defaultCommand } from './manifest.ts'
import { createSessions } from './session.ts'
import { createOnce, type ReadFile, type Site } from './site.ts'

export type { Client } from './api.ts'
export { botEvents, botScopes, manifestLink, slackManifest } from './manifest.ts'
export { type HostTurn, logTurn } from './observe.ts'
export { type HttpOptions, type HttpReceiver, slackHttp } from './receive/http.ts'
export { durable } from './receive/kept.ts'
export { signatureOf } from './receive/signature.ts'
export { feedbackBlocks } from './render/reply.ts'
export type { FileToRead, ReadFile } from './site.ts'

export interface SlackOptions {
  /** `observe`: the host answers itself; Hone takes votes, corrections and commands on what the host logs. */
  readonly mode?: 'answer' | 'observe'
  /** The slash command, as the app's manifest names it. */
  readonly command?: string
  /** Who may retrain and promote: user ids (U…) and user group ids (S…). */
  readonly admins?: readonly string[]
  /**
   * Ids of other workspaces and organisations whose people, in channels shared by Slack Connect, are answered and heard
   * like the own ones. They are never admins. Absent: none.
   */
  readonly partners?: readonly string[]
  /** Counts 👍 and 👎 as emoji reactions on replies as votes. */
  readonly reactions?: boolean
  /** Questions offered in an empty conversation; at most four are shown. */
  readonly prompts?: readonly string[]
  /** False: replies are posted and edited, never streamed. */
  readonly streaming?: boolean
  readonly log?: Logger
  /** A client for a workspace, for hosts in many: replies to events from before a restart need it. */
  readonly clientFor?: (team: string) => Client | undefined
  /** Reads files that admins share with the bot into the knowledge; absent: files are not looked at. */
  readonly read?: ReadFile
  /** Milliseconds that only grow, and a way to let them pass: for tests. */
  readonly now?: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

export interface SlackChannel {
  /**
   * Hone's listeners do nothing from now on; replies that are being written are finished. One that waits for a Slack that
   * can't be reached is told after the next start.
   */
  detach(): void
}

/**
 * Attaches Hone to a Bolt app: messages, thumbs, the slash command, App Home. The host's own listeners stay as they
 * are, and nothing is ever thrown into them.
 *
 * With a receiver of the host's own, events that Bolt acknowledged and a crash took before they were stored are lost;
 * `durable(receiver)` and `slackHttp` store first. Votes and corrections are always stored before Slack is told.
 *
 * @example
 * const app = new App({ token, receiver: durable(new SocketModeReceiver({ appToken })) })
 * const hone = slack(app, bot, { admins: ['U012AB3CD'] })
 * await app.start()
 */
export function slack(app: App, bot: Bot, options: SlackOptions = {}): SlackChannel {
  const log = options.log ?? silent
  const clients = new Map<string, Client>()
  const clientOf = (team: string): Client => clients.get(team) ?? options.clientFor?.(team) ?? app.client
  const clock = { ...(options.now ? { now: options.now } : {}), ...(options.wait ? { wait: options.wait } : {}) }
  const api = createApi({ clientOf, log, ...clock })
  const leaving = new AbortController()
  const site: Site = {
    bot,
    api,
    log,
    sessions: createSessions(api, log),
    streaming: options.streaming ?? true,
    answers: options.mode !== 'observe',
    command: options.command ?? defaultCommand,
    prompts: options.prompts ?? [],
    partners: options.partners ?? [],
    ...(options.read ? { read: options.read } : {}),
    clientOf,
    arriving: new Map(),
    answering: new Map(),
    once: createOnce(),
    leaving: leaving.signal,
    now: options.now ?? (() => performance.now()),
    ...(options.wait ? { wait: options.wait } : {}),
    self: selfOf(clientOf),
    isAdmin: createAdmins(api, options.admins ?? [], log),
  }
  const detachChannel = bot.attach(channelOf(site))
  void resumeFiles(site)
  const deafen = listen(app, site, {
    reactions: options.reactions === true,
    met: (team, client) => clients.set(team, client),
  })
  return {
    detach() {
      deafen()
      detachChannel()
      leaving.abort()
    },
  }
}

/** The bot's own user, asked once a workspace. */
function selfOf(clientOf: (team: string) => Client): Site['self'] {
  const known = new Map<string, string>()
  return async (team) => {
    const id = known.get(team) ?? (await clientOf(team).auth.test()).user_id ?? ''
    known.set(team, id)
    return id
  }
}
