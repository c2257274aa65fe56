import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Client,
  type ClientEvents,
  Events,
  GatewayCloseCodes,
  type Interaction,
  type Message,
  type Team,
  TeamMemberMembershipState,
  TeamMemberRole,
  type User,
} from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import { type Logger, silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { TurnId } from '../../src/ports/channel.ts'
import { createApi, createClosed } from './api.ts'
import { commandSet } from './commands.ts'
import { observedButtons, type Row } from './controls.ts'
import { discordChannel } from './deliver.ts'
import type { Desk } from './desk.ts'
import { createBreaker, guardQueue } from './gateway.ts'
import { checkIntents } from './intents.ts'
import { onInteraction } from './interact.ts'
import { createMark } from './mark.ts'
import { fetchMissed } from './missed.ts'
import { channelScopes, parseMessage, type Scopes } from './parse.ts'
import { reacted } from './reactions.ts'
import { registerCommands } from './register.ts'
import type { Deferred } from './surface.ts'

export { findings } from './check.ts'
export { clientOptions } from './intents.ts'
export type { Scopes } from './parse.ts'

export interface DiscordOptions {
  /** `observe`: the host answers by itself and puts `feedbackRow` under its replies. */
  readonly mode?: 'answer' | 'observe'
  /** Channels in which every message is a question; needs the message content intent. */
  readonly listen?: readonly string[]
  /** Answer each question that is asked in a channel in a thread of its own. */
  readonly threads?: boolean
  /** Count 👍 and 👎 reactions as votes. */
  readonly reactions?: boolean
  /** User ids that may retrain and promote, besides the application's owner. */
  readonly admins?: readonly string[]
  /** False: the host registers the commands. */
  readonly register?: boolean
  /** Where to keep up to which message everything was seen. Without it, what comes while no process runs is missed. */
  readonly markFile?: string
  /** What of the knowledge may be seen where a question was asked. */
  readonly scopes?: Scopes
  readonly log?: Logger
}

export interface DiscordHandle {
  /** 👍 👎 ✏️ for a message of the host's that carries this turn. */
  feedbackRow(turn: TurnId): Row
  /** Stops listening and delivering; the client goes on. */
  detach(): void
}

/**
 * Attaches the bot to a discord.js client, which stays the host's own: its handlers, its commands, its login.
 *
 * @throws HoneError CONFIG when the client lacks an intent without which something that was asked for can't work.
 * @example
 * const client = new Client(clientOptions({}, { log }))
 * discord(client, bot)
 * await client.login(token)
 */
export function discord(client: Client, bot: Bot, options: DiscordOptions = {}): DiscordHandle {
  const { mode = 'answer', listen = [], threads = false, reactions = false, log = silent } = options
  const answering = mode === 'answer'
  const { intents, partials = [], ws } = client.options
  for (const what of checkIntents(intents, partials, { listen, reactions }))
    log.warn('discord.intent.missing', { what })
  if (ws) ws.buildIdentifyThrottler ??= (manager) => createBreaker(manager, { log })
  guardQueue(client, log)
  const me = () => client.user?.id ?? ''
  const scopes = options.scopes ?? channelScopes
  const mark = createMark(options.markFile, log)
  const stack = new DisposableStack()
  const detached = new AbortController()
  stack.defer(() => detached.abort())
  const parts = office(client, bot, { ...options, log, scopes, signal: detached.signal }, me)

  async function take(message: Message): Promise<void> {
    const event = parseMessage(message, { me: me(), listen, threads, scopes })
    try {
      if (event) await bot.receive(event)
    } catch (error) {
      if (!(error instanceof HoneError && error.code === 'INPUT')) mark.failed(message.id)
      throw error
    }
    mark.saw(message.id, message.guildId ? undefined : message.channelId)
  }
  const on = <Name extends keyof ClientEvents>(name: Name, what: (...args: ClientEvents[Name]) => unknown): void => {
    const listener = (...args: ClientEvents[Name]): void => {
      const doing = async () => what(...args)
      doing().catch((error: unknown) => log.error('discord.event.failed', { event: name, error }))
    }
    client.on(name, listener)
    stack.defer(() => void client.off(name, listener))
  }
  const missed = (shard: number) => {
    const gap = mark.began(shard)
    return gap && fetchMissed({ shard, gap }, { client: client as Client<true>, mark, log, take })
  }
  const start = (): Promise<unknown> => {
    if (answering) stack.defer(bot.attach(parts.channel))
    return Promise.allSettled([parts.settleIn(), ...shardsOf(client).map((shard) => answering && missed(shard))])
  }

  if (client.isReady()) void start()
  else on(Events.ClientReady, start)
  if (answering) {
    on(Events.MessageCreate, take)
    on(Events.ShardReconnecting, (shard) => mark.lost(shard))
    on(Events.ShardResume, (shard) => mark.resumed(shard))
    on(Events.ShardReady, (shard) => (client.isReady() ? missed(shard) : undefined))
  }
  on(Events.InteractionCreate, (interaction: Interaction) => onInteraction(interaction, parts.desk))
  on(Events.ShardDisconnect, ({ code }, shard) => log.error('discord.disconnected', { shard, why: closedBy(code) }))
  on(Events.ShardError, (error, shard) => log.warn('discord.shard.error', { shard, error }))
  on(Events.Error, (error) => log.error('discord.error', { error }))
  if (reactions) {
    on(Events.MessageReactionAdd, (reaction, user) => reacted(reaction, user, 'added', bot))
    on(Events.MessageReactionRemove, (reaction, user) => reacted(reaction, user, 'removed', bot))
  }
  stack.defer(() => mark.flush())
  return { feedbackRow: observedButtons, detach: () => stack.dispose() }
}

function shardsOf(client: Client): readonly number[] {
  return [...client.ws.shards.keys()]
}

/** Why Discord ended a connection for good, e.g. `AuthenticationFailed` for a token that was reset. */
function closedBy(code: number): string {
  return GatewayCloseCodes[code] ?? String(code)
}

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
function office(
  client: Client,
  bot: Bot,
  options: DiscordOptions & { readonly log: Logger; readonly scopes: Scopes; readonly signal: AbortSignal },
  me: () => string,
) {
  const { log, scopes, signal, mode = 'answer', register = true } = options
  const admins = new Set(options.admins)
  const application = () => client.application?.id ?? me()
  const api = createApi(client.rest, application, client.shard?.count)
  const deferred = new Map<string, Deferred>()
  const asking = new Map<string, string>()
  const closed = createClosed()
  const wait = (ms: number) => sleep(ms)
  const isAdmin = (user: string) => admins.has(user)
  const answering = mode === 'answer'
  const desk: Desk = { bot, log, api, scopes, answering, deferred, asking, isAdmin, me, signal, wait }
  const channel = discordChannel({ api, closed, log, me, signal, deferred, asking, since: Date.now() })

  /** Learns who owns the application, and registers the commands: the first shard does it for all. */
  async function settleIn(): Promise<void> {
    try {
      for (const id of ownersOf((await client.application?.fetch())?.owner)) admins.add(id)
      if (!register || !shardsOf(client).includes(0)) return
      const changed = await registerCommands(client.rest, application(), commandSet(bot.commands, mode))
      log.info('discord.commands', { changed })
    } catch (error) {
      log.error('discord.settle.failed', { error })
    }
  }
  return { channel, desk, settleIn }
}
