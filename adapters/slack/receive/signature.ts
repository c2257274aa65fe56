import { createHmac, timingSafeEqual } from 'node:crypto'

export interface SignatureOptions {
  readonly secret: string
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Says why a request is not Slack's, or undefined when it is. */
export interface Signatures {
  check(headers: Headers, body: string): string | undefined
  /** The request was answered with success: the same one again is a replay. */
  used(headers: Headers): void
}

const windowSeconds = 300
const kept = 10_000

/**
 * Checks Slack's signatures: neither old nor from the future, compared in constant time, and each taken once.
 * Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function signatures({ secret, now = Date.now }: SignatureOptions): Signatures {
  /** Signatures that were used, with the second they are from, oldest first. */
  const seen = new Map<string, number>()
  return {
    check(headers, body) {
      const at = headers.get('x-slack-request-timestamp') ?? ''
      const signature = headers.get('x-slack-signature') ?? ''
      if (!/^\d{1,12}$/.test(at)) return 'The request has no time stamp.'
      if (Math.abs(now() / 1000 - Number(at)) > windowSeconds) return 'The request is too old, or from the future.'
      const expected = Buffer.from(`v0=${createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')}`)
      const given = Buffer.from(signature)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'The signature is wrong.'
      return seen.has(signature) ? 'The request was used before.' : undefined
    },
    used(headers) {
      seen.set(headers.get('x-slack-signature') ?? '', Number(headers.get('x-slack-request-timestamp')))
      for (const [signature, at] of seen) {
        if (seen.size <= kept && now() / 1000 - at <= windowSeconds) break
        seen.delete(signature)
      }
    },
  }
}
