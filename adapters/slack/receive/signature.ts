import { createHmac, timingSafeEqual } from 'node:crypto'

export interface SignatureOptions {
  readonly secret: string
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface Signatures {
  /** Says why a request is not Slack's, or undefined when it is: then the same one again is a replay. */
  check(headers: Headers, body: string): string | undefined
  /** The request was not answered with success: it may come again as it is. */
  release(headers: Headers): void
}

/**
 * The headers of a request that Slack could have sent.
 *
 * @param at seconds since 1970.
 * @example fetch(url, { method: 'POST', body, headers: { ...signatureOf(body, { secret, at }), 'content-type': 'application/json' } })
 */
export function signatureOf(body: string, { secret, at }: { readonly secret: string; readonly at: number | string }) {
  const hash = createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')
  return { 'x-slack-request-timestamp': String(at), 'x-slack-signature': `v0=${hash}` }
}

const windowSeconds = 300
const kept = 10_000

/**
 * Checks Slack's signatures: neither old nor from the future, compared in constant time, and each taken once.
 * Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function signatures({ secret, now = Date.now }: SignatureOptions): Signatures {
  /** Signatures that came, with the second they are from, oldest first. */
  const seen = new Map<string, number>()
  return {
    check(headers, body) {
      const at = headers.get('x-slack-request-timestamp') ?? ''
      const signature = headers.get('x-slack-signature') ?? ''
      if (!/^\d{1,12}$/.test(at)) return 'The request has no time stamp.'
      if (Math.abs(now() / 1000 - Number(at)) > windowSeconds) return 'The request is too old, or from the future.'
      const expected = Buffer.from(signatureOf(body, { secret, at })['x-slack-signature'])
      const given = Buffer.from(signature)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'The signature is wrong.'
      if (seen.has(signature)) return 'The request was used before.'
      seen.set(signature, Number(at))
      for (const [oldest, second] of seen) {
        if (seen.size <= kept && now() / 1000 - second <= windowSeconds) break
        seen.delete(oldest)
      }
      return undefined
    },
    release(headers) {
      seen.delete(headers.get('x-slack-signature') ?? '')
    },
  }
}
