import type { Person, ThreadId } from '../../src/ports/channel.ts'

/** Where in Slack something was said. Without `thread` it is the channel itself. */
export interface Place {
  readonly team: string
  readonly channel: string
  /** Time stamp of the message the thread hangs on. */
  readonly thread?: string
}

/** @example threadOf({ team: 'T1', channel: 'C1', thread: '1763.1' }) // 'slack:T1:C1:1763.1' */
export function threadOf({ team, channel, thread = '' }: Place): ThreadId {
  return `slack:${team}:${channel}:${thread}`
}

export function placeOf(id: ThreadId): Place {
  const [, team = '', channel = '', thread = ''] = id.split(':')
  return { team, channel, ...(thread ? { thread } : {}) }
}

/** Whether a thread stands in a channel: who is in the channel can read it. */
export function isIn({ team, channel }: Place, thread: ThreadId): boolean {
  return thread.startsWith(`slack:${team}:${channel}:`)
}

export function tenantOf(team: string): string {
  return `slack:${team}`
}

export function personOf(team: string, user: string, name = user): Person {
  return { id: `slack:${team}:${user}`, name }
}

/** The Slack user behind a person. */
export function userOf({ id }: Person): string {
  return id.split(':')[2] ?? ''
}

/** What someone in a channel may see besides the tenant's public documents. */
export function scopeOf({ team, channel }: Place): string {
  return `slack:${team}:${channel}`
}
