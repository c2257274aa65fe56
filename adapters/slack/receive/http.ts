import { setTimeout as sleep } from 'node:timers/promises'
import type { Receiver } from '@slack/bolt'
import { type Logger, silent } from '../../../src/log.ts'
import { type Admission, admitted } from './admit.ts'
import { type Processing, processKept } from './kept.ts'
import { signatures } from './signature.ts'

export interface HttpOptions extends Admission {
  readonly signingSecret: string
  /** Where Slack sends everything. */
  readonly path?: string
  readonly log?: Logger
  readonly now?: () => number
  /** Resolves after so many milliseconds: by which clock a request is answered in time. */
  readonly wait?: (ms: number) => Promise<unknown>
}

/** A Bolt receiver without a server of its own: mount `fetch` in any server that speaks fetch. */
export interface HttpReceiver extends Receiver {
  /** Answers Slack's requests; undefined for requests to other paths. */
  fetch(request: Request): Promise<Response | undefined>
}

const longestBody = 1_000_000
const ackMs = 2800
const pause = (ms: number) => sleep(ms, undefined, { ref: false })

/**
 * Receives Slack's events, interactions and commands over HTTP: signed, fresh, of a size and shape to be read, each
 * event on disk before it is acknowledged.
 *
 * @example
 * const receiver = slackHttp({ signingSecret })
 * const app = new App({ token, receiver })
 * serve({ fetch: async (request) => (await receiver.fetch(request)) ?? new Response(null, { status: 404 }) })
 */
export function slackHttp(options: HttpOptions): HttpReceiver {
  const { signingSecret: secret, path = '/slack/events', log = silent, now, wait = pause } = options
  const signed = signatures({ secret, ...(now ? { now } : {}) })
  let app: Processing | undefined

  async function answer(request: Request): Promise<Response> {
    if (request.method !== 'POST') return refuse(405, 'Slack posts.')
    const raw = await read(request).catch((error: unknown) => {
      log.info('slack.body.broken', { error: String(error) })
      return null
    })
    if (raw === null) return refuse(400, 'The body broke off.')
    if (raw === undefined) return refuse(413, 'The body is too large.')
    const wrong = signed.check(request.headers, raw)
    if (wrong) return refuse(401, wrong)
    const body = parseBody(raw, request.headers.get('content-type') ?? '')
    const response = await answerBody(body, request.headers)
    if (!response.ok) signed.release(request.headers)
    return response
  }

  async function answerBody(body: unknown, headers: Headers): Promise<Response> {
    if (isHandshake(body)) return handshake(body)
    const refusal = admitted(body, options)
    if (refusal) return refuse(refusal.includes('workspace') ? 403 : 400, refusal)
    return process(body as Record<string, unknown>, headers)
  }

  function refuse(status: number, why: string): Response {
    log.warn('slack.refused', { status, why })
    return new Response(why, { status, headers: { 'content-type': 'text/plain' } })
  }

  /** Resolves with the acknowledgement, or with 503 so that Slack sends the event again. */
  function process(body: Record<string, unknown>, headers: Headers): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<Response>()
    void wait(ackMs).then(() => resolve(new Response(null, { status: 503 })))
    const retryNum = Number(headers.get('x-slack-retry-num') ?? 0)
    const retryReason = headers.get('x-slack-retry-reason') ?? ''
    const event = {
      body,
      ack: async (said?: unknown) => resolve(acknowledgement(said)),
      ...(retryNum ? { retryNum, retryReason } : {}),
    }
    const processed = app ? processKept(app, event) : Promise.reject(new Error('The receiver belongs to no app yet.'))
    processed
      .catch((error: unknown) => {
        log.error('slack.event.failed', { error })
        resolve(new Response(null, { status: 500 }))
      })
      .finally(() => {
        // Nobody acknowledged it: nobody here knows such an action.
        resolve(new Response(null, { status: 404 }))
      })
    return promise
  }

  return {
    init(bolt) {
      app = bolt
    },
    start: async () => undefined,
    stop: async () => undefined,
    async fetch(request) {
      if (new URL(request.url).pathname !== path) return undefined
      return answer(request)
    },
  }
}

/** The body as it was signed; undefined when it is longer than anything Slack sends. */
async function read(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > longestBody) return undefined
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.body ?? []) {
    size += part.byteLength
    if (size > longestBody) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** JSON for events; a form with `payload` for interactions; a plain form for commands. */
function parseBody(raw: string, type: string): unknown {
  try {
    if (type.includes('json')) return JSON.parse(raw)
    const form = Object.fromEntries(new URLSearchParams(raw))
    return typeof form['payload'] === 'string' ? JSON.parse(form['payload']) : form
  } catch {
    return undefined
  }
}

interface Handshake {
  readonly type?: unknown
  readonly challenge?: unknown
  readonly ssl_check?: unknown
}

/** Slack asks whether the address is ours, or whether its certificate is good. */
function isHandshake(body: unknown): body is Handshake {
  const { type, ssl_check: ssl } = (body ?? {}) as Handshake
  return type === 'url_verification' || ssl !== undefined
}

function handshake({ challenge }: Handshake): Response {
  return typeof challenge === 'string' ? Response.json({ challenge }) : new Response(null, { status: 200 })
}

function acknowledgement(said: unknown): Response {
  if (said === undefined || said === '') return new Response(null, { status: 200 })
  return typeof said === 'string' ? new Response(said) : Response.json(said)
}
