import { createHash } from 'node:crypto'
import type { ThreadId } from '../../src/ports/channel.ts'

/** Where something happens: a channel, a thread, or a direct message. */
export interface Where {
  readonly channel: string
  /** Absent in a direct message. */
  readonly guild?: string | null | undefined
}

/** What an event id of ours says. */
export interface Origin {
  /** The channel it was written in; another than the thread's when a thread is opened for it. */
  readonly channel: string
  /** The message that the reply answers; absent for a command. */
  readonly message?: string
  /** Snowflake of the message or interaction itself. */
  readonly own: string
}

/** A guild is a tenant; so is each direct message. */
export function tenantOf({ guild, channel }: Where): string {
  return guild ? `discord:${guild}` : `discord:@${channel}`
}

export function threadOf(where: Where): ThreadId {
  return `${tenantOf(where)}:${where.channel}`
}

/** The channel that a thread of ours is. */
export function channelOf(thread: ThreadId): string {
  return thread.slice(thread.lastIndexOf(':') + 1)
}

export function personId(user: string): string {
  return `discord:${user}`
}

/** The user behind a person's id. */
export function userOf(person: string): string {
  return person.slice(person.indexOf(':') + 1)
}

export function eventId({ channel, message, own }: Origin): string {
  return `discord:${channel}:${message ?? 0}:${own}`
}

/** @returns undefined for an event that isn't Discord's. */
export function originOf(event: string): Origin | undefined {
  const [, channel, message, own] = /^discord:(\d+):(\d+):(\d+)$/.exec(event) ?? []
  if (!channel || !own) return undefined
  return { channel, own, ...(message && message !== '0' ? { message } : {}) }
}

/**
 * The same for the same part of the answer to the same event: Discord then returns the message that is there already
 * instead of making a second one, also to another process after a crash.
 */
export function nonceOf(event: string, part: number, round: number): string {
  return createHash('sha256').update(`${event} ${part} ${round}`).digest('base64url').slice(0, 22)
}

const longestName = 90

/** The name of the thread that is opened for a question; no character that people see as one is cut in half. */
export function threadName(question: string): string {
  let name = ''
  for (const { segment } of new Intl.Segmenter().segment(question.replace(/\s+/g, ' '))) {
    if (name.length + segment.length > longestName) break
    name += segment
  }
  return name
}

const epoch = 1_420_070_400_000n

/** The first snowflake of a moment. */
export function snowflakeAt(ms: number): string {
  return String((BigInt(Math.max(ms, Number(epoch))) - epoch) << 22n)
}

/** When a snowflake was made, in milliseconds. */
export function timeOf(snowflake: string): number {
  return Number((BigInt(snowflake) >> 22n) + epoch)
}
