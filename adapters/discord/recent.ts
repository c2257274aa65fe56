import { troubleOf } from './trouble.ts'

/** Remembers keys for a while. */
export interface Recent {
  has(key: string): boolean
  add(key: string): void
  /** How many are remembered. */
  readonly size: number
}

/**
 * @param forMs how long a key is remembered. @param most how many at once; the oldest go first.
 * @example const told = createRecent(60_000); if (!told.has(user)) told.add(user)
 */
export function createRecent(forMs: number, most = 1000, now: () => number = Date.now): Recent {
  const until = new Map<string, number>()
  return {
    has: (key) => (until.get(key) ?? 0) > now(),
    add(key) {
      until.delete(key)
      until.set(key, now() + forMs)
      for (const [known, end] of until) if (end <= now() || until.size > most) until.delete(known)
    },
    get size() {
      return until.size
    },
  }
}

/** Channels that the bot may not write in. */
export interface Closed {
  has(channel: string): boolean
  /** Takes note when an error says so. */
  note(channel: string, error: unknown): void
}

const closedMs = 5 * 60_000

/** Remembers for a while where the bot may not write: refused requests count towards a ban. */
export function createClosed(recent: Recent = createRecent(closedMs)): Closed {
  return {
    has: recent.has,
    note(channel, error) {
      if (troubleOf(error) === 'closed') recent.add(channel)
    },
  }
}
