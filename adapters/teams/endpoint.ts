import { type Logger, silent } from '../../src/log.ts'
import { tenantsOf } from './address.ts'
import { type Activity, isReadable, loggable } from './sdk.ts'
import { stranger } from './trust.ts'

/** A request as both SDKs read it: the body is parsed already. */
export interface IncomingRequest {
  readonly method?: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly body?: unknown
}
/** What both SDKs answer through; Express's and Restify's responses fit. */
export interface OutgoingResponse {
  readonly headersSent?: boolean
  status(code: number): unknown
  send(body?: unknown): unknown
  end(): unknown
  setHeader(name: string, value: string): unknown
}

export interface EndpointOptions {
  /** The host's own bot: gets what Hone doesn't take. */
  readonly logic?: (context: never) => Promise<void>
  readonly tenants?: readonly string[]
  readonly log?: Logger
}

/** The largest activity that is read; Teams's own limit for a message is far lower. */
const largestBody = 256 * 1024

/** The two SDKs type their requests and responses differently; what comes from the server is passed on as it is. */
type Passed = never
interface SdkAdapter {
  process(request: Passed, response: Passed, logic: Passed): Promise<unknown>
  /** agents-hosting checks tokens in a step of its own. */
  authorizeRequest?(request: Passed, response: Passed, next: () => void): Promise<unknown>
}
/** botbuilder checks them within `process`, which answers 500 to a forged one; so they are checked before as well. */
interface BotBuilderAdapter {
  readonly botFrameworkAuthentication?: { authenticateRequest(activity: Passed, header: string): Promise<unknown> }
}

/**
 * The route for `POST /api/messages` on an Express-like server: looks at the body before the SDK does, lets the SDK
 * authenticate, and never rejects. One unauthenticated `{}` ends a process that calls botbuilder's `process` as its
 * documentation does.
 *
 * @example app.post('/api/messages', express.json(), endpoint(adapter, { tenants: ['…'] }))
 */
export function endpoint(adapter: SdkAdapter, options: EndpointOptions = {}) {
  const { log = silent, logic = async () => undefined } = options
  return async function messages(request: IncomingRequest, response: OutgoingResponse): Promise<void> {
    const answer = (status: number, text: string): void => {
      if (response.headersSent) return
      response.status(status)
      response.send({ error: text })
    }
    try {
      const fault = faultOf(request.body)
      if (fault) return answer(400, fault)
      if (!(await authorized(adapter, request, response))) return
      if (!(await isGenuine(adapter, request))) return answer(401, 'The token is not valid.')
      const tenant = stranger(options, tenantsOf(request.body as Activity))
      if (tenant) {
        log.warn('teams.tenant.refused', { tenant })
        return answer(403, 'This tenant is not known here.')
      }
      await adapter.process(request as Passed, response as Passed, logic as Passed)
    } catch (error) {
      if (isUnreadable(error)) return answer(400, wrongKind)
      log.error('teams.request.failed', loggable(error))
      answer(500, 'The activity could not be handled.')
    }
  }
}

const wrongKind = 'The activity has fields of the wrong kind.'

/** agents-hosting checks the shape of an activity with Zod. */
function isUnreadable(error: unknown): boolean {
  return /ZodError$/.test((error as Error | undefined)?.name ?? '')
}

/** True once the SDK's own middleware has let the request in; it answers by itself when it doesn't. */
async function authorized(adapter: SdkAdapter, request: IncomingRequest, response: OutgoingResponse): Promise<boolean> {
  if (!adapter.authorizeRequest) return true
  let passed = false
  await adapter.authorizeRequest(request as Passed, response as Passed, () => {
    passed = true
  })
  return passed
}

/** @throws what kept botbuilder from finding out: the keys could not be fetched, say. */
async function isGenuine(adapter: BotBuilderAdapter & object, { body, headers }: IncomingRequest): Promise<boolean> {
  const { botFrameworkAuthentication } = adapter
  if (!botFrameworkAuthentication) return true
  try {
    await botFrameworkAuthentication.authenticateRequest(body as Passed, String(headers['authorization'] ?? ''))
    return true
  } catch (error) {
    const { name, statusCode = 401 } = error as { name?: string; statusCode?: number }
    if (name === 'FetchError' || statusCode >= 500) throw error
    return false
  }
}

/** What is wrong with a body, in words; undefined when the SDKs can take it. */
function faultOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'An activity is a JSON object.'
  const { type, conversation, from, recipient, serviceUrl, channelId } = body as Record<string, unknown>
  if (typeof type !== 'string' || !type) return 'The activity has no type.'
  if (!isRecord(conversation) || typeof conversation['id'] !== 'string') return 'The activity has no conversation.'
  if (!isRecord(from) || typeof from['id'] !== 'string') return 'The activity has no sender.'
  if (recipient !== undefined && !isRecord(recipient)) return 'The recipient is none.'
  if (![serviceUrl, channelId].every((part) => typeof part === 'string')) return 'The activity has no origin.'
  return isReadable(body as Activity) ? undefined : wrongKind
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/**
 * The same for servers that speak in `Request` and `Response`.
 *
 * @example const response = await fetchEndpoint(adapter)(request)
 */
export function fetchEndpoint(adapter: SdkAdapter, options: EndpointOptions = {}) {
  const messages = endpoint(adapter, options)
  return async function fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } })
    // A page in a browser can send text to any server unasked, but JSON only to those that allow it.
    if (!isJson(request)) return Response.json({ error: 'An activity is sent as application/json.' }, { status: 415 })
    const text = await limitedText(request)
    if (text === undefined) return Response.json({ error: 'The activity is too large.' }, { status: 413 })
    const body = parsed(text)
    const kept = keptResponse()
    await messages({ method: 'POST', headers: Object.fromEntries(request.headers), body }, kept)
    return kept.response()
  }
}

function isJson({ headers }: Request): boolean {
  return /^application\/json\s*(;|$)/i.test(headers.get('content-type') ?? '')
}

async function limitedText(request: Request): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > largestBody) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Stands in for an Express response and keeps what the SDK answers. */
function keptResponse() {
  let code = 200
  let body: unknown
  let sent = false
  const headers = new Headers()
  const kept = {
    get headersSent() {
      return sent
    },
    status(value: number) {
      code = value
      return kept
    },
    setHeader(name: string, value: string) {
      headers.set(name, value)
      return kept
    },
    header: (name: string, value: string) => kept.setHeader(name, value),
    send(value?: unknown) {
      body = value
      sent = true
      return kept
    },
    end() {
      sent = true
      return kept
    },
    response(): Response {
      if (body === undefined || body === null) return new Response(null, { status: code, headers })
      if (typeof body === 'string') return new Response(body, { status: code, headers })
      return Response.json(body, { status: code, headers })
    },
  }
  return kept
}
