import type { Inbound } from '../../src/ports/channel.ts'
import type { Api, Sent } from './api.ts'
import { nonceOf, originOf } from './place.ts'
import type { Body } from './render.ts'
import { troubleOf } from './trouble.ts'

/** Where the parts of one reply are put. */
export interface Surface {
  readonly channel: string
  /** The first part is 0; the same part of the same round again is the same message, also after a crash. */
  post(part: number, body: Body, round: number): Promise<Sent>
  edit(message: string, body: Body): Promise<Sent>
  remove(message: string): Promise<void>
  typing(): Promise<void>
  /** How long an edit that can wait should wait. */
  gap(): number
}

/** The messages that an earlier process has already made of this reply, oldest first. */
export type Earlier = readonly Sent[]

/** A reply as messages of the bot in a channel. */
export function channelSurface(api: Api, event: Inbound, channel: string, earlier: Earlier): Surface {
  const origin = originOf(event.id)
  // Who opened a thread with a question sees it above the thread; a reply to it would be in another channel.
  const replyTo = origin?.channel === channel ? origin.message : undefined
  return {
    channel,
    async post(part, body, round) {
      const known = round === 0 ? earlier[part] : undefined
      if (known) return api.edit(channel, known.id, body)
      const how = { nonce: nonceOf(event.id, part, round), ...(replyTo && part === 0 ? { replyTo } : {}) }
      const sent = await api.post(channel, body, how)
      return sent.content === body.content ? sent : api.edit(channel, sent.id, body)
    },
    edit: (message, body) => api.edit(channel, message, body),
    remove: (message) => api.remove(channel, message),
    typing: () => api.typing(channel),
    gap: () => api.pace.gap(channel),
  }
}

/** An interaction whose answer was deferred. */
export interface Deferred {
  readonly token: string
  /** When its token is over, in milliseconds. */
  readonly until: number
  /** Resolves once Discord has our "thinking …"; false when it came too late. */
  readonly acknowledged: Promise<boolean>
}

/**
 * A reply as the answer to an interaction; when the token is over it goes on as messages in the channel. So do its later
 * parts where the bot may write: a message of the bot may be sent again under its nonce, and Discord knows no nonce for
 * follow-ups to an interaction.
 *
 * @see https://github.com/discord/discord-api-docs/pull/6647
 */
export function answerSurface(api: Api, waiting: Deferred, after: Surface, now: () => number): Surface {
  const { token, until, acknowledged } = waiting
  let over = false
  let mayWrite = true
  const inChannel = new Set<string>()
  const sent = async (message: Promise<Sent>): Promise<Sent> => {
    const made = await message
    inChannel.add(made.id)
    return made
  }
  const later = async (part: number, body: Body, round: number): Promise<Sent> => {
    if (!mayWrite) return api.addAnswer(token, body)
    try {
      return await sent(after.post(part, body, round))
    } catch (error) {
      if (troubleOf(error) !== 'closed') throw error
      mayWrite = false
      return api.addAnswer(token, body)
    }
  }
  const either = async (answer: () => Promise<Sent>, message: () => Promise<Sent>): Promise<Sent> => {
    over ||= !(await acknowledged) || now() >= until
    if (over) return message()
    try {
      return await answer()
    } catch (error) {
      if (troubleOf(error) !== 'expired') throw error
      over = true
      return message()
    }
  }
  return {
    channel: after.channel,
    post: (part, body, round) =>
      either(
        () => (part + round === 0 ? api.editAnswer(token, '@original', body) : later(part, body, round)),
        () => sent(after.post(part, body, round)),
      ),
    edit: (message, body) =>
      either(
        () => (inChannel.has(message) ? after.edit(message, body) : api.editAnswer(token, message, body)),
        () => after.edit(message, body),
      ),
    remove: (message) => after.remove(message),
    // "Thinking …" is shown already.
    typing: async () => undefined,
    gap: () => (over ? after.gap() : api.pace.gap(token)),
  }
}
