import { createHmac } from 'node:crypto'

export const signingSecret = 'shhh-8f742231b10e8888abcd99yyyzzz85a5'

export interface Signed {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export interface SignOptions {
  readonly secret?: string
  /** Seconds since 1970. */
  readonly at?: number
  readonly type?: 'json' | 'form'
}

/** Signs a body as Slack does. Interactions and commands come as forms, events as JSON. */
export function sign(
  body: string,
  { secret = signingSecret, at = Math.floor(Date.now() / 1000), type = 'json' }: SignOptions = {},
): Signed {
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')}`
  return {
    body,
    headers: {
      'content-type': type === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': signature,
    },
  }
}

/** The form an interaction is sent in. */
export function interactionForm(payload: object): string {
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
}

export interface DeliverOptions {
  /** Waits between the tries; Slack waits a moment, a minute and five minutes. */
  readonly pauses?: readonly number[]
  readonly timeoutMs?: number
}

/**
 * Delivers an event until it is acknowledged with 2xx in time, with Slack's retry headers, at most four times.
 * Answers the number of the try that was acknowledged, or 0.
 */
export async function deliver(url: string, payload: object, options: DeliverOptions = {}): Promise<number> {
  const { pauses = [0, 0, 0], timeoutMs = 3000 } = options
  let reason = ''
  for (let attempt = 0; attempt <= pauses.length; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, pauses[attempt - 1]))
    const { body, headers } = sign(JSON.stringify(payload))
    const retry = attempt > 0 ? { 'x-slack-retry-num': String(attempt), 'x-slack-retry-reason': reason } : {}
    try {
      const init = { method: 'POST', body, headers: { ...headers, ...retry }, signal: AbortSignal.timeout(timeoutMs) }
      const response = await fetch(url, init)
      await response.arrayBuffer()
      if (response.ok) return attempt + 1
      reason = 'http_error'
    } catch {
      reason = 'connection_failed'
    }
  }
  return 0
}
