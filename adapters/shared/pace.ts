import { setTimeout as sleep } from 'node:timers/promises'

export interface PacerOptions {
  /** Calls that may come at once after a quiet time. */
  readonly capacity: number
  readonly perMinute: number
  /** Milliseconds that only grow. */
  readonly now?: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

export interface Pacer {
  /** Resolves when a call may be made; whoever asked first goes first, and nobody is turned away. */
  take(key: string): Promise<void>
  /** True when a call may be made at once. Never goes before those who wait. */
  tryTake(key: string): boolean
  /** Nothing goes for so long: what a platform asks for with Retry-After. */
  pause(key: string, ms: number): void
}

interface Bucket {
  tokens: number
  /** When `tokens` was true. */
  at: number
  pausedUntil: number
  waiting: number
  /** Settles when everyone who asked so far has gone. */
  tail: Promise<unknown>
}

const keptBuckets = 1000

/**
 * Keeps calls within a platform's limits: one token bucket a key, and a queue before each.
 *
 * @example
 * const pacer = createPacer({ capacity: 5, perMinute: 100 })
 * await pacer.take('T1 chat.appendStream')
 */
export function createPacer(options: PacerOptions): Pacer {
  const { capacity, perMinute, now = () => performance.now(), wait = (ms) => sleep(ms) } = options
  const perMs = perMinute / 60_000
  const buckets = new Map<string, Bucket>()

  const bucketOf = (key: string): Bucket => {
    const known = buckets.get(key)
    if (known) return known
    if (buckets.size >= keptBuckets) dropIdle()
    const made = { tokens: capacity, at: now(), pausedUntil: 0, waiting: 0, tail: Promise.resolve() }
    buckets.set(key, made)
    return made
  }

  /** A full bucket that nobody waits at says no more than a new one. */
  const dropIdle = (): void => {
    for (const [key, bucket] of buckets)
      if (bucket.waiting === 0 && until(bucket) === 0 && bucket.tokens >= capacity) buckets.delete(key)
  }

  /** Fills the bucket and says how long until it holds a token. */
  const until = (bucket: Bucket): number => {
    const time = now()
    bucket.tokens = Math.min(capacity, bucket.tokens + (time - bucket.at) * perMs)
    bucket.at = time
    const full = bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / perMs
    return Math.max(full, bucket.pausedUntil - time, 0)
  }

  const next = async (bucket: Bucket): Promise<void> => {
    for (let ms = until(bucket); ms > 0; ms = until(bucket)) await wait(Math.ceil(ms))
    bucket.tokens -= 1
  }

  return {
    take(key) {
      const bucket = bucketOf(key)
      bucket.waiting += 1
      const mine = bucket.tail
        .then(() => next(bucket))
        .finally(() => {
          bucket.waiting -= 1
        })
      bucket.tail = mine.catch(() => undefined)
      return mine
    },
    tryTake(key) {
      const bucket = bucketOf(key)
      if (bucket.waiting > 0 || until(bucket) > 0) return false
      bucket.tokens -= 1
      return true
    },
    pause(key, ms) {
      const bucket = bucketOf(key)
      bucket.pausedUntil = Math.max(bucket.pausedUntil, now() + ms)
    },
  }
}
