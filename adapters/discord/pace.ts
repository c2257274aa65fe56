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
  /** One more reply is being streamed, until the result is called: all of them share the bot's limit. */
  join(): () => void
}

const kept = 2000
/** The share of the bot's own limit that goes to edits which can wait. */
const share = 0.4

/**
 * Keeps the pace that Discord's own headers allow; nothing about it is known beforehand.
 *
 * @param perSecond what all requests of the bot together may be: no header tells it, the client is set to it.
 */
export function createPace(perSecond: number, now: () => number = Date.now): Pace {
  const buckets = new Map<string, Bucket>()
  let streams = 0
  return {
    note(key, headers) {
      const remaining = headers.get('x-ratelimit-remaining')
      const resetAfter = headers.get('x-ratelimit-reset-after')
      if (remaining === null || resetAfter === null) return
      if (buckets.size >= kept) forget(buckets, now())
      buckets.set(key, { remaining: Number(remaining), resetAt: now() + Number(resetAfter) * 1000 })
    },
    gap(key) {
      const fair = streams > 1 ? (streams * 1000) / (perSecond * share) : 0
      const bucket = buckets.get(key)
      if (!bucket) return fair
      const left = Math.max(0, bucket.resetAt - now())
      return Math.max(fair, bucket.remaining > 1 ? left / bucket.remaining : left)
    },
    join() {
      streams += 1
      return () => {
        streams -= 1
      }
    },
  }
}

function forget(buckets: Map<string, Bucket>, now: number): void {
  for (const [key, { resetAt }] of buckets) if (resetAt <= now) buckets.delete(key)
}
