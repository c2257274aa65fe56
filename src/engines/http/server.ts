import { setTimeout as delay } from 'node:timers/promises'
import { HoneError } from '../../errors.ts'
import { type Logger, silent } from '../../log.ts'
import { type Watchdog, watchdog } from './watchdog.ts'

/** A server to talk to, and how patient to be with it. */
export interface Server {
  /** Where `/chat/completions` hangs, without a slash at the end. */
  readonly base: string
  /** The same without `/v1`: where a server keeps what is not OpenAI's. */
  readonly root: string
  readonly key: string
  readonly firstByteMs: number
  readonly idleMs: number
  readonly log: Logger
}

/** What one can set about a connection; the rest has defaults. */
export interface ServerOptions {
  /** Up to and including `/v1`, e.g. `http://127.0.0.1:8000/v1`. */
  readonly url: string
  readonly key?: string
  /** Longest wait for the first byte, in milliseconds (120,000): a long prompt on a CPU takes its time. */
  readonly firstByteMs?: number
  /** Longest silence in the middle of a reply, in milliseconds (60,000). */
  readonly idleMs?: number
  /** Absent: says nothing. */
  readonly log?: Logger
}

/** One request: a path (under `base`) or a whole URL, and a body when it is a POST. */
export interface Call {
  readonly to: string
  readonly body?: unknown
}

const tries = 4
const longestWaitMs = 30_000

/** Checks the address. @throws HoneError CONFIG when it is none. */
export function toServer({
  url,
  key = '',
  firstByteMs = 120_000,
  idleMs = 60_000,
  log = silent,
}: ServerOptions): Server {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new HoneError('CONFIG', `The engine's address is "${url}"; it must begin with http:// or https://.`)
  }
  const base = url.replace(/\/+$/, '')
  return { base, root: base.replace(/\/v1$/, ''), key, firstByteMs, idleMs, log }
}

/**
 * Sends one request and answers a response that is fine. A server that is busy or still loading (429, 503) is asked
 * again, at most three times, after the time it names in `Retry-After`.
 *
 * @throws HoneError NETWORK, CONFIG, INPUT or ENGINE_FAILED; what the caller aborted is thrown as it is.
 */
export async function send(server: Server, call: Call, dog: Watchdog): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    dog.arm(server.firstByteMs)
    const response = await reach(server, call, dog)
    if (response.ok) return response
    const waitMs = retryAfterMs(response.headers.get('retry-after'), attempt)
    const busy = response.status === 429 || response.status === 503
    if (!busy || attempt === tries || waitMs > longestWaitMs) {
      throw refusal(server, response.status, await response.text().catch(() => ''))
    }
    await response.body?.cancel()
    server.log.warn('engine.busy', { status: response.status, attempt, waitMs })
    dog.arm(waitMs + server.firstByteMs)
    await delay(waitMs, undefined, { signal: dog.signal })
  }
}

/** {@link send} for an answer in JSON. @throws HoneError CANCELLED when `signal` ended it. */
export function ask(server: Server, call: Call, signal?: AbortSignal): Promise<unknown> {
  return exchange(server, call, { read: (response) => response.json(), signal })
}

/** {@link ask} where only success matters. */
export async function tell(server: Server, call: Call, signal?: AbortSignal): Promise<void> {
  await exchange(server, call, { read: (response) => response.text(), signal })
}

async function exchange(
  server: Server,
  call: Call,
  { read, signal }: { read: (response: Response) => Promise<unknown>; signal: AbortSignal | undefined },
): Promise<unknown> {
  const dog = watchdog(signal)
  try {
    return await read(await send(server, call, dog))
  } catch (error) {
    throw convert(server, error, dog, signal)
  } finally {
    dog.stop()
  }
}

/** Makes one `HoneError` of whatever ended a request. */
export function convert(server: Server, error: unknown, dog: Watchdog, signal?: AbortSignal): HoneError {
  if (error instanceof HoneError) return error
  if (signal?.aborted) return new HoneError('CANCELLED', 'The request to the engine was cancelled.', { cause: error })
  if (dog.expired) {
    return new HoneError('NETWORK', `The server at ${server.root} stopped answering.`, { cause: error })
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new HoneError('ENGINE_FAILED', `The server at ${server.root} broke off: ${reason}`, { cause: error })
}

async function reach(server: Server, call: Call, dog: Watchdog): Promise<Response> {
  const url = /^https?:/.test(call.to) ? call.to : `${server.base}/${call.to}`
  const headers: Record<string, string> = { accept: 'application/json, text/event-stream' }
  if (server.key) headers.authorization = `Bearer ${server.key}`
  if (call.body !== undefined) headers['content-type'] = 'application/json'
  const post = call.body === undefined ? {} : { method: 'POST', body: JSON.stringify(call.body) }
  try {
    return await fetch(url, { ...post, headers, signal: dog.signal })
  } catch (error) {
    if (dog.signal.aborted) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause instanceof Error ? cause.message : String(cause))
    throw new HoneError('NETWORK', `The server at ${server.root} can't be reached: ${reason}.`, { cause: error })
  }
}

/** Seconds or a date (RFC 9110 §10.2.3); without the header half a second, doubled each time. */
export function retryAfterMs(header: string | null, attempt: number, now = Date.now()): number {
  if (header !== null && /^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000
  const date = header === null ? Number.NaN : Date.parse(header)
  return Number.isNaN(date) ? 250 * 2 ** attempt : Math.max(0, date - now)
}

function refusal(server: Server, status: number, body: string): HoneError {
  const said = reason(body)
  const tail = said ? `: ${said}` : '.'
  if (status === 401 || status === 403) {
    return new HoneError(
      'CONFIG',
      `The server at ${server.root} refuses the API key (${status}). Set HONE_ENGINE_KEY to one it accepts`.concat(
        tail,
      ),
    )
  }
  if (status === 404) {
    return new HoneError(
      'CONFIG',
      `The server at ${server.base} knows no such model or path (404). HONE_ENGINE_URL usually ends in /v1; ` +
        `HONE_MODEL must be a name the server lists`.concat(tail),
    )
  }
  if (status === 400 || status === 413 || status === 422) {
    return new HoneError('INPUT', `The server at ${server.root} refuses the request (${status})${tail}`)
  }
  if (status === 429 || (status >= 502 && status <= 504)) {
    return new HoneError('NETWORK', `The server at ${server.root} has no capacity now (${status})${tail}`)
  }
  return new HoneError('ENGINE_FAILED', `The server at ${server.root} failed (${status})${tail}`)
}

/** The words of an error body: OpenAI's `{error:{message}}`, vLLM's older `{message}`, Ollama's `{error}`, or text. */
export function reason(body: string): string {
  let said: unknown = body
  try {
    const json = JSON.parse(body) as { error?: { message?: unknown } | string; message?: unknown; detail?: unknown }
    said = typeof json.error === 'object' ? json.error?.message : (json.error ?? json.message ?? json.detail)
  } catch {
    // Not JSON: a proxy's page, or plain words.
  }
  const text = typeof said === 'string' ? said : said === undefined ? '' : JSON.stringify(said)
  return text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}
