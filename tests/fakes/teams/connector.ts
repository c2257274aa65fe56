import { outboundToken } from './ids.ts'
import { createIssuer, type Issuer } from './issuer.ts'
import {
  type Fault,
  type LiveStream,
  longestStreamMs,
  messageFault,
  streamFault,
  streamInfo,
  type Wire,
} from './rules.ts'
import { type Answer, type Asked, type Server, serve } from './server.ts'

export { outboundToken }

/** One call of the bot, and what became of it. */
export interface Call {
  readonly at: number
  readonly method: string
  readonly conversation: string
  readonly activity: Wire
  readonly status: number
  readonly fault?: string
}

/** A message as people see it. */
export interface Shown {
  readonly id: string
  activity: Wire
}

/** A Bot Connector on loopback that refuses what Teams refuses. */
export interface Connector extends AsyncDisposable {
  readonly url: string
  readonly issuer: Issuer
  readonly calls: readonly Call[]
  /** Messages of a conversation, streams included, oldest first. */
  messages(conversation: string): readonly Shown[]
  /** Presses Stop: the next call of the stream is refused. */
  stop(conversation: string): void
  /** The next call that `matches` is answered so; `taken`: although it is done, as when a gateway gives up waiting. */
  refuseNext(
    matches: (activity: Wire) => boolean,
    fault: Fault & { readonly retryAfter?: number; readonly taken?: boolean },
  ): void
  /** Resolves when `holds` does; looks again after every call. */
  until(holds: () => boolean): Promise<void>
}

/** Calls that a bot may make in one conversation: so many in so many seconds. */
const quotas = [
  [7, 1],
  [8, 2],
  [60, 30],
  [1800, 3600],
] as const
const perTenantSecond = 50

interface Room {
  readonly shown: Shown[]
  stream: LiveStream | undefined
}

export interface ConnectorOptions {
  readonly now?: () => number
  /** Takes calls without a token, as the Playground does. */
  readonly anonymous?: boolean
}

export async function openConnector(options: ConnectorOptions = {}): Promise<Connector> {
  const { now = () => performance.now(), anonymous = false } = options
  const rooms = new Map<string, Room>()
  const calls: Call[] = []
  const refusals: { matches: (activity: Wire) => boolean; answer: Answer; text: string; taken: boolean }[] = []
  const watchers = new Set<() => void>()
  let count = 0
  const room = (id: string): Room => {
    const known = rooms.get(id) ?? { shown: [], stream: undefined }
    rooms.set(id, known)
    return known
  }

  function accept(conversation: string, asked: Asked): Answer & { readonly fault?: string } {
    const activity = asked.body as Wire
    if (!anonymous && asked.authorization !== `Bearer ${outboundToken}`)
      return refused({ status: 401, code: 'Unauthorized', message: 'Bad token' })
    const planned = refusals.findIndex(({ matches }) => matches(activity))
    if (planned >= 0) {
      const refusal = refusals.splice(planned, 1)[0] as (typeof refusals)[number]
      if (refusal.taken) say(room(conversation), activity)
      return plannedAnswer(refusal)
    }
    if (asked.method === 'POST' && madeUp.test(asked.path)) return refused(unknownActivity)
    const quota = quotaFault(calls, conversation, now())
    const wrong = quota ?? messageFault(activity)
    if (wrong) return refused(wrong)
    return asked.method === 'PUT' ? change(room(conversation), asked, now()) : say(room(conversation), activity)
  }

  function say(at: Room, activity: Wire): Answer & { readonly fault?: string } {
    const info = streamInfo(activity)
    if (!info) {
      if (activity.type === 'typing') return { status: 202, body: {} }
      const id = `m${++count}`
      at.shown.push({ id, activity })
      return { status: 201, body: { id } }
    }
    const stream = info.streamId ? at.stream : undefined
    if (!info.streamId && at.stream?.state === 'open') return refused(busy)
    if (info.streamId && info.streamId !== at.stream?.id) return refused({ ...busy, message: 'No such stream' })
    const wrong = streamFault(info, activity, stream, now())
    if (wrong) return refused(wrong)
    return { ...take(at, stream, activity, info.streamType ?? '') }
  }

  function take(at: Room, known: LiveStream | undefined, activity: Wire, type: string): Answer {
    const id = known?.id ?? `m${++count}`
    const stream = known ?? { id, startedAt: now(), sequence: 0, text: '', lastAt: 0, state: 'open' }
    stream.sequence += 1
    stream.lastAt = now()
    if (type !== 'informative') stream.text = activity.text ?? ''
    if (type === 'final') stream.state = 'done'
    at.stream = stream
    const shown = at.shown.find((one) => one.id === id)
    if (shown) shown.activity = activity
    else at.shown.push({ id, activity })
    return known ? { status: 202, body: {} } : { status: 201, body: { id } }
  }

  const issuer: Issuer = createIssuer(() => server.url)
  const server: Server = await serve((asked) => {
    const route = issuer.routes(server.url)[`${asked.method} ${asked.path}`]
    if (route) return route(asked)
    const [, encoded] = /^\/v3\/conversations\/([^/]+)\/activities/.exec(asked.path) ?? []
    if (!encoded) return { status: 404, body: { error: asked.path } }
    const conversation = decodeURIComponent(encoded)
    const { fault, ...answer } = accept(conversation, asked)
    const { method, body } = asked
    calls.push({
      at: now(),
      method,
      conversation,
      activity: body as Wire,
      status: answer.status,
      ...(fault ? { fault } : {}),
    })
    setImmediate(() => {
      for (const watcher of [...watchers]) watcher()
    })
    return answer
  })

  return {
    url: server.url,
    issuer,
    calls,
    messages: (conversation) => room(conversation).shown,
    stop(conversation) {
      const { stream } = room(conversation)
      if (stream) stream.state = 'stopped'
    },
    refuseNext(matches, { status, code, message, retryAfter, taken = false }) {
      const headers = retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } }
      refusals.push({
        matches,
        text: message,
        taken,
        answer: { status, body: { error: { code, message } }, ...headers },
      })
    },
    until(holds) {
      if (holds()) return Promise.resolve()
      return new Promise((resolve) => {
        const watcher = (): void => {
          if (!holds()) return
          watchers.delete(watcher)
          resolve()
        }
        watchers.add(watcher)
      })
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** An SDK gives a turn that nobody asked for an id that Teams has never heard of. */
const madeUp = /\/activities\/[0-9a-f]{8}-[0-9a-f-]{27}$/
const unknownActivity: Fault = { status: 404, code: 'ActivityNotFound', message: 'No such activity' }
const busy: Fault = { status: 403, code: 'ContentStreamNotAllowed', message: 'One stream a chat' }

function plannedAnswer({ answer, text }: { answer: Answer; text: string }): Answer & { fault: string } {
  return { ...answer, fault: text }
}

function refused({ status, code, message }: Fault): Answer & { fault: string } {
  return { status, body: { error: { code, message } }, fault: message }
}

/** Microsoft's SDKs edit a stream once its two minutes are over; whether an open one can be edited is not written down. */
function change({ shown, stream }: Room, { path, body }: Asked, now: number): Answer & { readonly fault?: string } {
  const id = decodeURIComponent(path.split('/').at(-1) ?? '')
  const found = shown.find((one) => one.id === id)
  if (!found) return refused({ status: 404, code: 'NotFound', message: 'No such message' })
  if (stream?.id === id && stream.state === 'open' && now - stream.startedAt <= longestStreamMs) return refused(busy)
  found.activity = body as Wire
  return { status: 200, body: { id } }
}

function quotaFault(calls: readonly Call[], conversation: string, now: number): Fault | undefined {
  const since = (seconds: number, mine: boolean): number =>
    calls.filter(({ at, conversation: where }) => now - at < seconds * 1000 && (!mine || where === conversation)).length
  const over = quotas.some(([most, seconds]) => since(seconds, true) >= most) || since(1, false) >= perTenantSecond
  return over ? { status: 429, code: 'TooManyRequests', message: 'API calls quota exceeded' } : undefined
}
