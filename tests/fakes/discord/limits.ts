/** How much one route takes in a window. */
export interface Allowance {
  readonly limit: number
  readonly windowMs: number
}
export interface Limits {
  /** Sends to one channel. */
  readonly sends: Allowance
  /** Edits in one channel, or of one interaction's messages. */
  readonly edits: Allowance
  readonly others: Allowance
  /** All requests of the bot together. */
  readonly global: Allowance
  /** 401, 403 and 429 answers before the address is banned. */
  readonly invalid: Allowance
}

export const realLimits: Limits = {
  sends: { limit: 5, windowMs: 5000 },
  edits: { limit: 5, windowMs: 5000 },
  others: { limit: 50, windowMs: 1000 },
  global: { limit: 50, windowMs: 1000 },
  invalid: { limit: 10_000, windowMs: 600_000 },
}

/** The verdict on one request. */
export interface Verdict {
  readonly headers: Record<string, string>
  /** Set when the request is refused: how many seconds to wait. */
  readonly retryAfter?: number
  readonly global?: true
  readonly banned?: true
}

interface Window {
  used: number
  resetAt: number
}

/** Fixed windows per bucket, as Discord keeps them, and its headers. */
export function createLimiter(limits: Limits) {
  const windows = new Map<string, Window>()
  const spend = (key: string, { limit, windowMs }: Allowance) => {
    const known = windows.get(key)
    const window = known && known.resetAt > Date.now() ? known : { used: 0, resetAt: Date.now() + windowMs }
    windows.set(key, window)
    window.used += 1
    return { left: limit - window.used, seconds: Math.max(0, window.resetAt - Date.now()) / 1000 }
  }
  return {
    invalid: 0,
    /** @param kind which allowance. @param major what the bucket is counted by, e.g. the channel. */
    check(kind: 'sends' | 'edits' | 'others' | 'interaction', major: string): Verdict {
      if ((windows.get('invalid')?.used ?? 0) >= limits.invalid.limit) return { headers: {}, banned: true }
      // Answers to interactions are bound to no limit of the bot.
      if (kind === 'interaction') return { headers: {} }
      const whole = spend('global', limits.global)
      if (whole.left < 0) {
        const headers = { 'x-ratelimit-global': 'true', 'x-ratelimit-scope': 'global' }
        return { ...this.refuse(headers, whole.seconds), global: true }
      }
      const { left, seconds } = spend(`${kind}:${major}`, limits[kind])
      const headers = {
        'x-ratelimit-limit': String(limits[kind].limit),
        'x-ratelimit-remaining': String(Math.max(0, left)),
        'x-ratelimit-reset': String(Date.now() / 1000 + seconds),
        'x-ratelimit-reset-after': seconds.toFixed(3),
        'x-ratelimit-bucket': `bucket-of-${kind}`,
      }
      return left < 0 ? this.refuse({ ...headers, 'x-ratelimit-scope': 'user' }, seconds) : { headers }
    },
    refuse(headers: Record<string, string>, seconds: number): Verdict {
      this.countInvalid()
      return { headers: { ...headers, 'retry-after': String(Math.ceil(seconds)) }, retryAfter: seconds }
    },
    countInvalid() {
      this.invalid += 1
      spend('invalid', limits.invalid)
    },
  }
}
export type Limiter = ReturnType<typeof createLimiter>
