import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, type Message, type Team, TeamMemberMembershipState, TeamMemberRole, type User } from 'discord.js'
import type { HoneError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { createApi } from './api.ts'
import { commandSet } from './commands.ts'
import { discordChannel } from './deliver.ts'
import type { Desk } from './desk.ts'
import type { Scopes } from './parse.ts'
import { nonceOf } from './place.ts'
import { createClosed, createRecent } from './recent.ts'
import { registerCommands } from './register.ts'
import { messages } from './render.ts'
import type { Deferred } from './surface.ts'

export interface OfficeOptions {
  readonly mode?: 'answer' | 'observe'
  readonly admins?: readonly string[]
  readonly register?: boolean
  readonly log: Logger
  readonly scopes: Scopes
  /** Aborted when the bot is detached. */
  readonly signal: AbortSignal
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>
}

/** Resolves early, too, once nobody waits any more. */
const pause = (ms: number, stop?: AbortSignal) =>
  sleep(ms, undefined, stop ? { signal: stop } : {}).catch(() => undefined)

/** Who is over the cap is told so once; an answer to each of a hundred messages would keep others' replies waiting. */
const toldMs = 60_000

/** Who owns an application: one person, or those of a team who may change it. */
function ownersOf(owner: User | Team | null | undefined): readonly string[] {
  if (!owner) return []
  if (!('members' in owner)) return [owner.id]
  const able = owner.members.filter(
    ({ membershipState, role }) =>
      membershipState === TeamMemberMembershipState.Accepted && role !== TeamMemberRole.ReadOnly,
  )
  return [...able.keys()]
}

/** What answers: the channel, the desk for interactions, and what is done once the client is ready. */
export function office(client: Client, bot: Bot, options: OfficeOptions, me: () => string) {
  const { log, scopes, signal, mode = 'answer', register = true, wait = pause } = options
  const admins = new Set(options.admins)
  const application = () => client.application?.id ?? me()
  const api = createApi(client.rest, application, client.shard?.count)
  const deferred = new Map<string, Deferred>()
  const asking = new Map<string, string>()
  const closed = createClosed()
  const told = createRecent(toldMs)
  const isAdmin = (user: string) => admins.has(user)
  const answering = mode === 'answer'
  const desk: Desk = { bot, log, api, scopes, answering, deferred, asking, isAdmin, me, signal, wait }
  const channel = discordChannel({ api, closed, log, me, signal, deferred, asking, since: Date.now() })

  /** Learns who owns the application, and registers the commands: the first shard does it for all. */
  async function settleIn(): Promise<void> {
    try {
      for (const id of ownersOf((await client.application?.fetch())?.owner)) admins.add(id)
      if (!register || !client.ws.shards.has(0)) return
      const changed = await registerCommands(client.rest, application(), commandSet(bot.commands, mode))
      log.info('discord.commands', { changed })
    } catch (error) {
      log.error('discord.settle.failed', { error })
    }
  }
  /** Says why a message is not answered, as a reply to it; the same thing to the same person once a minute. */
  async function refuse({ channelId, id, author }: Message, { code, message }: HoneError): Promise<void> {
    log.info('discord.refused', { id, code })
    const what = `${author.id} ${code}`
    if (told.has(what) || closed.has(channelId)) return
    told.add(what)
    for (const body of messages(`⚠️ ${message}`)) {
      await api.post(channelId, body, { nonce: nonceOf(id, 0, 0), replyTo: id }).catch((error: unknown) => {
        closed.note(channelId, error)
        log.warn('discord.refused.untold', { channel: channelId, error })
      })
    }
  }
  return { channel, desk, settleIn, refuse }
}
