/** What a platform's answer said about the bucket it came from. */
interface Bucket {
  readonly remaining: number
  /** When the window ends. */
  readonly resetAt: number
}

export interface Pace {
  /** Takes in the rate-limit headers of an answer. */
  note(key: string, headers: Pick<Headers, 'get'>): void
  /**
   * Milliseconds until the next call that may as well come later: what remains of the window is spread over what
   * remains in it, with one call kept back for the one that must not wait.
   */
  gap(key: string): number
}

const kept = 2000

/** Keeps the pace that Discord's own headers allow; nothing about it is known beforehand. */
export function createPace(now: () => number = Date.now): Pace {
  const buckets = new Map<string, Bucket>()
  return {
    note(key, headers) {
      const remaining = headers.get('x-ratelimit-remaining')
      const resetAfter = headers.get('x-ratelimit-reset-after')
      if (remaining === null || resetAfter === null) return
      if (buckets.size >= kept) forget(buckets, now())
      buckets.set(key, { remaining: Number(remaining), resetAt: now() + Number(resetAfter) * 1000 })
    },
    gap(key) {
      const bucket = buckets.get(key)
      if (!bucket) return 0
      const left = Math.max(0, bucket.resetAt - now())
      return bucket.remaining > 1 ? left / bucket.remaining : left
    },
  }
}

function forget(buckets: Map<string, Bucket>, now: number): void {
  for (const [key, { resetAt }] of buckets) if (resetAt <= now) buckets.delete(key)
}
