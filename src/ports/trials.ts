import type { ThreadId } from './channel.ts'

/** Two versions that answer side by side, and from when on. */
export interface Trial {
  readonly versions: readonly [string, string]
  readonly since: Date
  /** Threads in which a reply was made between this moment and `since` take no part. */
  readonly quietSince: Date
  /** Tenants that take no part. */
  readonly without: readonly string[]
}
/** What people said since two versions answer side by side. */
export interface Said {
  /** Standing thumbs on replies of the two, duels left out. */
  readonly thumbs: readonly {
    readonly thread: ThreadId
    readonly version: string
    readonly person: string
    readonly verdict: 'up' | 'down'
  }[]
  /** Decided duels between the two. */
  readonly duels: readonly { readonly person: string; readonly winner: string }[]
}
/** Versions that answer side by side. */
export interface Trials {
  /** Whether a reply was made in a thread from one moment on and before another. */
  repliedIn(thread: ThreadId, from: Date, to: Date): Promise<boolean>
  said(trial: Trial): Promise<Said>
}
