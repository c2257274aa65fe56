import type { ThreadId } from './channel.ts'

/** Which threads. */
export interface PastOnly {
  readonly tenant: string
  readonly channels: readonly string[]
  /** Those with a reply from then on. */
  readonly since?: Date
  /** `voted`: those with a reply that somebody judged come first. Within that, and else, the newest do. */
  readonly first: 'recent' | 'voted'
  readonly limit: number
}

/** Threads that have replies, for looking back. */
export interface Past {
  /** Tenants with replies on these channels, or on any, the one with the newest first. */
  tenants(channels?: readonly string[]): Promise<readonly string[]>
  threads(only: PastOnly): Promise<readonly ThreadId[]>
}
