import { type Client, type ClientEvents, Events, GatewayCloseCodes, type Interaction, type Message } from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import { type Logger, silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { TurnId } from '../../src/ports/channel.ts'
import { observedButtons, type Row } from './controls.ts'
import { createBreaker, guardQueue } from './gateway.ts'
import { checkIntents } from './intents.ts'
import { onInteraction } from './interact.ts'
import { createMark } from './mark.ts'
import { fetchMissed } from './missed.ts'
import { office } from './office.ts'
import { channelScopes, parseMessage, type Scopes } from './parse.ts'
import { reacted } from './reactions.ts'

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
  /** Resolves after so many milliseconds: by which clock an interaction is answered in time. */
  readonly wait?: (ms: number) => Promise<unknown>
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
      if (event) await bot.receive(parts.desk.isAdmin(message.author.id) ? { ...event, admin: true } : event)
    } catch (error) {
      if (!(error instanceof HoneError && refusals.includes(error.code))) {
        mark.failed(message.id)
        throw error
      }
      await parts.refuse(message, error)
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
    // In observe mode, too, people are told how their commands ended.
    stack.defer(bot.attach(parts.channel))
    return Promise.allSettled([parts.settleIn(), ...shardsOf(client).map((shard) => answering && missed(shard))])
  }

  if (client.isReady()) void start()
  else on(Events.ClientReady, start)
  if (answering) {
    on(Events.MessageCreate, take)
    on(Events.ShardReconnecting, (shard) => mark.lost(shard))
    on(Events.ShardResume, (shard) => mark.resumed(shard))
    // Some servers come late, and some go away for a while.
    on(Events.GuildUnavailable, ({ shardId }) => mark.lost(shardId))
    on(Events.GuildAvailable, ({ shardId }) => (client.isReady() ? missed(shardId) : undefined))
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

/** What is wrong with the message itself; the next process would refuse it as well. */
const refusals: readonly string[] = ['INPUT', 'LIMIT']

function shardsOf(client: Client): readonly number[] {
  return [...client.ws.shards.keys()]
}

/** Why Discord ended a connection for good, e.g. `AuthenticationFailed` for a token that was reset. */
function closedBy(code: number): string {
  return GatewayCloseCodes[code] ?? String(code)
}
