import {
  type BaseInteraction,
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  type Message,
  MessageType,
  type TextBasedChannel,
} from 'discord.js'
import type { InboundMessage, InboundRetry, Person } from '../../src/ports/channel.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import { eventId, personId, tenantOf, threadOf } from './place.ts'

/** Who the bot is and what it listens to. */
export interface Ears {
  /** The bot's own user id. */
  readonly me: string
  /** Channels in which everything is a question; their threads too. */
  readonly listen: readonly string[]
  /** Answer each question that is asked in a channel in a thread of its own. */
  readonly threads: boolean
  readonly scopes: Scopes
}

/** Where and by whom something was written. */
export interface Spot {
  readonly guild: string | null
  readonly channel: string
  /** The channel that a thread belongs to. */
  readonly parent: string | null
  readonly user: string
}
/** Names what of the knowledge, besides the tenant's own, everyone there may see. */
export type Scopes = (spot: Spot) => readonly string[]

/**
 * The question in a message: it mentions the bot, replies to it, stands in a direct message, in the bot's own thread,
 * or where the bot listens. Null for everything else: other people's talk, bots, system messages, texts we can't see.
 */
export function parseMessage(message: Message, ears: Ears): InboundMessage | null {
  const { author, id, channelId, guildId } = message
  if (author.bot || message.webhookId || message.system) return null
  if (message.type !== MessageType.Default && message.type !== MessageType.Reply) return null
  if (guildId && !isAddressed(message, ears)) return null
  const text = readable(message, ears.me)
  if (!text) return null
  const inThread = message.channel.isThread()
  const ownThread = ears.threads && guildId !== null && !inThread && !message.reference
  return {
    kind: 'message',
    id: eventId({ channel: channelId, message: id, own: id }),
    channel: 'discord',
    tenant: tenantOf({ guild: guildId, channel: channelId }),
    // A thread that is opened from a message has its id.
    thread: threadOf({ guild: guildId, channel: ownThread ? id : channelId }),
    person: { id: personId(author.id), name: message.member?.displayName ?? author.displayName },
    scopes: ears.scopes({ guild: guildId, channel: channelId, parent: parentOf(message.channel), user: author.id }),
    text,
    at: message.createdAt,
  }
}

function isAddressed(message: Message, { me, listen }: Ears): boolean {
  const { channel, mentions } = message
  if (mentions.users.has(me) || mentions.repliedUser?.id === me) return true
  if (listen.includes(message.channelId)) return true
  return channel.isThread() && (channel.ownerId === me || listen.includes(channel.parentId ?? ''))
}

/** The text without the mention of the bot; other people by name instead of number. */
function readable({ content, mentions }: Message, me: string): string {
  return content
    .replaceAll(new RegExp(`<@!?${me}>`, 'g'), '')
    .replaceAll(/<@!?(\d+)>/g, (whole, id: string) => {
      const user = mentions.users.get(id)
      return user ? `@${user.displayName}` : whole
    })
    .trim()
}

/** The default: what is marked for the channel, and for the channel that a thread belongs to. */
export const channelScopes: Scopes = ({ channel, parent }) =>
  [channel, ...(parent ? [parent] : [])].map((id) => `discord:${id}`)

/** The channel that a thread belongs to. */
export function parentOf(channel: TextBasedChannel | null): string | null {
  return channel?.isThread() ? channel.parentId : null
}

/** The question of an `/ask`. */
export function parseAsk(interaction: ChatInputCommandInteraction, scopes: Scopes): InboundMessage {
  const { channelId: channel, guildId: guild, user, id } = interaction
  return {
    kind: 'message',
    id: eventId({ channel, own: id }),
    channel: 'discord',
    ...placeOf(interaction),
    scopes: scopes({ guild, channel, parent: parentOf(interaction.channel), user: user.id }),
    text: interaction.options.getString('question', true),
    at: interaction.createdAt,
  }
}

/** *Try again*, pressed under a reply. */
export function parseRetry(interaction: ButtonInteraction, { id: turn, thread }: BotTurn): InboundRetry {
  const { channelId: channel, message, id } = interaction
  return {
    kind: 'retry',
    id: eventId({ channel, message: message.id, own: id }),
    channel: 'discord',
    ...placeOf(interaction),
    // A sibling stands in the thread of the reply, wherever Discord shows that.
    thread,
    scopes: [],
    turn,
    at: interaction.createdAt,
  }
}

/** Whose interaction it is, and where. */
export function placeOf({ channelId, guildId, user }: Pick<BaseInteraction, 'channelId' | 'guildId' | 'user'>) {
  const where = { channel: channelId ?? '', guild: guildId }
  const person: Person = { id: personId(user.id), name: user.displayName }
  return { tenant: tenantOf(where), thread: threadOf(where), person }
}
