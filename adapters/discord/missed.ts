import {
  type Client,
  type GuildTextBasedChannel,
  type Message,
  PermissionFlagsBits,
  type TextBasedChannel,
} from 'discord.js'
import type { Logger } from '../../src/log.ts'
import type { Gap, Mark } from './mark.ts'
import { snowflakeAt, timeOf } from './place.ts'
import { troubleOf } from './trouble.ts'

export interface MissedParts {
  readonly client: Client<true>
  readonly mark: Mark
  readonly log: Logger
  /** Takes a message in; one that is known already does no harm. */
  readonly take: (message: Message) => Promise<void>
}
/** A shard, and what it missed. */
interface Behind {
  readonly shard: number
  readonly gap: Gap
}

/** Messages may be taken in a little out of order, and a dead connection is noticed after two heartbeats. */
const overlapMs = 2 * 60_000
/** Older questions are nobody's any more. */
const longestMs = 24 * 3_600_000
const pageSize = 100

/**
 * Takes in what was written while a shard wasn't connected: Discord replays nothing to a new session. Only channels
 * with something newer than the mark are read.
 */
export async function fetchMissed({ shard, gap }: Behind, { client, mark, log, take }: MissedParts): Promise<void> {
  const after = snowflakeAt(Math.max(timeOf(gap.since) - overlapMs, Date.now() - longestMs))
  let count = 0
  // A server that is away has to be looked at once it is back.
  let whole = !client.guilds.cache.some((guild) => guild.shardId === shard && !guild.available)
  for (const channel of await channelsOf(shard, client, mark)) {
    if (!channel.lastMessageId || BigInt(channel.lastMessageId) <= BigInt(after)) continue
    try {
      for await (const message of messagesAfter(channel, after)) {
        count += 1
        // One that can't be taken in is no reason to leave out those after it.
        await take(message).catch((error: unknown) => log.error('discord.missed.refused', { id: message.id, error }))
      }
    } catch (error) {
      // Where the bot may not read, there is nothing to miss.
      if (troubleOf(error) === 'passing') whole = false
      log.warn('discord.missed.failed', { channel: channel.id, error })
    }
  }
  log.info('discord.missed', { shard, read: count, whole })
  if (whole) mark.caughtUp(shard, gap)
}

async function channelsOf(shard: number, client: Client<true>, mark: Mark): Promise<readonly TextBasedChannel[]> {
  const inGuilds = client.channels.cache.filter(
    (channel) => channel.isTextBased() && 'guild' in channel && channel.guild.shardId === shard && canSee(channel),
  )
  const direct =
    shard === 0 ? await Promise.all(mark.directs.map((id) => client.channels.fetch(id).catch(() => null))) : []
  return [...inGuilds.values(), ...direct].flatMap((channel) => (channel?.isTextBased() ? [channel] : []))
}

/** Discord names hidden channels too; asking for their messages counts towards a ban. */
function canSee(channel: GuildTextBasedChannel): boolean {
  const { me } = channel.guild.members
  return (me && channel.permissionsFor(me))?.has(PermissionFlagsBits.ViewChannel) ?? true
}

async function* messagesAfter(channel: TextBasedChannel, start: string): AsyncGenerator<Message> {
  let after = start
  for (;;) {
    const page = await channel.messages.fetch({ after, limit: pageSize, cache: false })
    const inOrder = [...page.values()].toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
    yield* inOrder
    const last = inOrder.at(-1)
    if (!last || page.size < pageSize) return
    after = last.id
  }
}
