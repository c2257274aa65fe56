import { z } from 'zod'
import type { InboundMessage } from '../../../src/ports/channel.ts'
import { type Place, personOf, scopeOf, tenantOf, threadOf } from '../place.ts'
import { forSomeoneElse, mentions, plainText } from './text.ts'

const envelope = z.object({
  team_id: z.string(),
  authorizations: z.array(z.object({ team_id: z.string().nullish() })).optional(),
  event: z.looseObject({ type: z.string() }),
})

/** A file as Slack describes it. */
export const sharedFile = z.object({
  id: z.string(),
  name: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().nullish(),
  url_private_download: z.string().nullish(),
})
export type SharedFile = z.infer<typeof sharedFile>

const said = z.object({
  type: z.enum(['message', 'app_mention']),
  channel: z.string(),
  channel_type: z.string().optional(),
  user: z.string(),
  text: z.string().default(''),
  ts: z.string().regex(/^\d+\.\d+$/),
  thread_ts: z.string().optional(),
  subtype: z.enum(['file_share', 'thread_broadcast']).optional(),
  bot_id: z.never().optional(),
  edited: z.never().optional(),
  files: z.array(sharedFile).optional(),
})

/** A message that may be for the bot. */
export interface Heard {
  readonly event: InboundMessage
  readonly place: Place
  /** A direct message or a mention. Anything else is for the bot only in a thread it is part of. */
  readonly addressed: boolean
  readonly files: readonly SharedFile[]
}

/** The workspace the app is installed in, where the event was told to it. */
export function teamOf(body: unknown): string | undefined {
  const { data } = envelope.safeParse(body)
  return data?.authorizations?.[0]?.team_id ?? data?.team_id
}

/**
 * A message as the core takes it; null for what is none: own messages, edits, other bots, joins and the like.
 * A mention comes twice, as `app_mention` and as `message`; both have the same id.
 */
export function parseMessage(body: unknown, self: string): Heard | null {
  const { data } = envelope.safeParse(body)
  const team = teamOf(body)
  const { data: message } = said.safeParse(data?.event)
  if (!message || !team || message.user === self || message.user === 'USLACKBOT') return null
  const { channel, ts, text, thread_ts: thread = ts } = message
  const direct = message.channel_type === 'im'
  const called = message.type === 'app_mention' || mentions(text, self)
  // What begins a thread stands in none that the bot is part of.
  if (!direct && !called && (!message.thread_ts || forSomeoneElse(text, self))) return null
  const place = { team, channel, thread }
  return {
    place,
    addressed: direct || called,
    files: message.files ?? [],
    event: {
      kind: 'message',
      id: `slack:${team}:${channel}:${ts}`,
      channel: 'slack',
      tenant: tenantOf(team),
      thread: threadOf(place),
      person: personOf(team, message.user),
      scopes: [scopeOf(place)],
      at: new Date(Number(ts) * 1000),
      text: plainText(text, self),
    },
  }
}

const stopped = z.object({ channel: z.string(), thread_ts: z.string() })

/** The thread whose Stop button was pressed. */
export function parseStop(body: unknown): Place | null {
  const { data } = envelope.safeParse(body)
  const team = teamOf(body)
  const { data: stop } = stopped.safeParse(data?.event)
  return stop && team ? { team, channel: stop.channel, thread: stop.thread_ts } : null
}

const opened = z.object({ user: z.string(), channel: z.string(), tab: z.enum(['home', 'messages']) })
const began = z.object({
  assistant_thread: z.object({ user_id: z.string(), channel_id: z.string(), thread_ts: z.string() }),
})

export interface Opened {
  readonly team: string
  readonly user: string
  readonly tab: 'home' | 'messages'
  readonly place: Place
}

/** The App Home or the conversation that someone opened; on the older assistant surface too. */
export function parseOpened(body: unknown): Opened | null {
  const { data } = envelope.safeParse(body)
  const team = teamOf(body)
  if (!team) return null
  const { data: home } = opened.safeParse(data?.event)
  if (home) return { team, user: home.user, tab: home.tab, place: { team, channel: home.channel } }
  const thread = began.safeParse(data?.event).data?.assistant_thread
  if (!thread) return null
  const place = { team, channel: thread.channel_id, thread: thread.thread_ts }
  return { team, user: thread.user_id, tab: 'messages', place }
}

const reacted = z.object({
  type: z.enum(['reaction_added', 'reaction_removed']),
  user: z.string(),
  reaction: z.string(),
  item: z.object({ type: z.literal('message'), channel: z.string(), ts: z.string() }),
  item_user: z.string().nullish(),
})

export interface Reacted {
  readonly team: string
  readonly user: string
  readonly channel: string
  readonly ts: string
  readonly verdict: 'up' | 'down'
  /** It was taken back. */
  readonly removed: boolean
}

/** 👍 or 👎 on a message of the bot's, in any skin tone, given or taken back. */
export function parseReaction(body: unknown, self: string): Reacted | null {
  const { data } = envelope.safeParse(body)
  const team = teamOf(body)
  const { data: one } = reacted.safeParse(data?.event)
  const verdict = one && thumbs[one.reaction.split('::')[0] ?? '']
  if (!one || !team || !verdict || one.user === self || (one.item_user && one.item_user !== self)) return null
  const { channel, ts } = one.item
  return { team, user: one.user, channel, ts, verdict, removed: one.type === 'reaction_removed' }
}

const thumbs: Readonly<Record<string, 'up' | 'down'>> = { '+1': 'up', thumbsup: 'up', '-1': 'down', thumbsdown: 'down' }
