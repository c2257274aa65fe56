import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { asHoneError, codes, type ErrorCode, HoneError } from '../errors.ts'
import type { ReplyEvent } from '../ports/channel.ts'
import type { RunEvent } from '../ports/learning.ts'
import { hasBearer } from './bearer.ts'
import type { Desk, Evaluated } from './desk.ts'
import type { Shown } from './talks.ts'

const path = '/desk/'
const noteName = 'server.json'

/** Where a server listens, told to commands through a file that only its owner can read. */
interface Note {
  readonly url: string
  readonly pid: number
  /** Made anew at each start. */
  readonly key: string
}

/** A server's side of the desk. */
export interface OpenDesk extends AsyncDisposable {
  /** Answers the requests of commands; undefined for all others. */
  fetch(request: Request): Promise<Response | undefined>
  /** Tells the commands where to ask. */
  announce(url: string): Promise<void>
}

/**
 * Lets commands that are run beside a server ask it, over loopback, instead of failing because it has the data folder.
 * Each answer is a stream of JSON lines: `{ "event" }` … or `{ "result" }`, or `{ "error" }`.
 */
export function openDesk(desk: Desk, dataDir: string): OpenDesk {
  const key = randomBytes(24).toString('base64url')
  const note = join(dataDir, noteName)
  return {
    async fetch(asked) {
      const { pathname } = new URL(asked.url)
      if (!pathname.startsWith(path)) return undefined
      if (asked.method !== 'POST' || !hasBearer(asked, key)) {
        return new Response('Only commands of this data folder may ask here.', { status: 403 })
      }
      const leaving = new AbortController()
      return new Response(streamOf(answer(desk, pathname.slice(path.length), asked, leaving.signal), leaving), {
        headers: { 'content-type': 'application/x-ndjson' },
      })
    },
    announce: (url) => writeFile(note, JSON.stringify({ url, pid: process.pid, key } satisfies Note), { mode: 0o600 }),
    [Symbol.asyncDispose]: () => rm(note, { force: true }),
  }
}

async function* answer(
  desk: Desk,
  name: string,
  asked: Request,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const line = (value: object) => Buffer.from(`${JSON.stringify(value)}\n`)
  try {
    const given: unknown = await asked.json()
    if (!Object.hasOwn(desk, name)) throw new HoneError('INPUT', `The running Hone knows no ${name}.`)
    const work = desk[name as keyof Desk] as (
      given: unknown,
      signal: AbortSignal,
    ) => Promise<unknown> | AsyncIterable<unknown>
    const done = work(given, signal)
    if (!(Symbol.asyncIterator in done)) yield line({ result: await done })
    else for await (const event of done) yield line({ event })
  } catch (error) {
    const { code, message } = asHoneError(error, 'STORE', 'The running Hone failed')
    yield line({ error: { code, message } })
  }
}

/** Whoever breaks the connection off ends the listening; of the work, only what takes the signal. */
function streamOf(
  lines: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  leaving: AbortController,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { value } = await lines.next()
      if (value) controller.enqueue(value)
      else controller.close()
    },
    cancel() {
      leaving.abort()
      void lines.return(undefined)
    },
  })
}

/**
 * The desk of the server that has this data folder, or undefined when what has it is no server.
 *
 * @example const desk = (await remoteDesk('.hone')) ?? fail()
 */
export async function remoteDesk(dataDir: string): Promise<(Desk & { readonly url: string }) | undefined> {
  const note = await readFile(join(dataDir, noteName), 'utf8').then(
    (text) => JSON.parse(text) as Note,
    () => undefined,
  )
  // A server that was killed leaves its note behind, and another program may have its port by now.
  const holder = await readFile(join(dataDir, 'lock.pid'), 'utf8').catch(() => '')
  if (!note || Number(holder) !== note.pid) return undefined
  const call = async <T>(name: keyof Desk, given: unknown = null): Promise<T> => {
    for await (const { result } of ask(note, name, given)) return result as T
    throw lost()
  }
  async function* events<E = RunEvent>(
    name: 'ask' | 'talk' | 'evaluate' | 'ingest' | 'train' | 'compare' | 'tune' | 'replay',
    given: unknown,
    signal?: AbortSignal,
  ): AsyncGenerator<E> {
    for await (const { event } of ask(note as Note, name, given, signal)) yield event as E
  }
  return {
    url: note.url,
    ask: (text, signal) => events<ReplyEvent>('ask', text, signal),
    talk: (look, signal) => events<Shown>('talk', look, signal),
    type: (typed) => call('type', typed),
    ingest: (source) => events('ingest', source),
    search: (query) => call('search', query),
    plan: (options) => call('plan', options),
    train: (options) => events('train', options),
    comparePlan: (options) => call('comparePlan', options),
    compare: (options) => events('compare', options),
    comparison: (of) => call('comparison', of),
    tunePlan: (options) => call('tunePlan', options),
    tune: (options) => events('tune', options),
    tuned: () => call('tuned'),
    cancel: () => call('cancel'),
    versions: (of) => call('versions', of),
    evaluate: (version, signal) => events<{ readonly say: string } | Evaluated>('evaluate', version, signal),
    promote: (asked) => call('promote', asked),
    rollback: (of) => call('rollback', of),
    why: (turn) => call('why', turn),
    stats: () => call('stats'),
    exportRows: (format) => call('exportRows', format),
    exportFor: (toolkit) => call('exportFor', toolkit),
    importRows: (rows) => call('importRows', rows),
    forget: (person) => call('forget', person),
    profiles: () => call('profiles'),
    profile: (version) => call('profile', version),
    keepProfile: (source) => call('keepProfile', source),
    promoteProfile: (version) => call('promoteProfile', version),
    rollbackProfile: () => call('rollbackProfile'),
    replay: (options) => events('replay', options),
    lastReplay: () => call('lastReplay'),
    cancelReplay: () => call('cancelReplay'),
  }
}

interface Line {
  readonly result?: unknown
  readonly event?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

/** Not `fetch`, which gives up when nothing was said for five minutes. */
async function* ask({ url, key }: Note, name: string, given: unknown, signal?: AbortSignal): AsyncGenerator<Line> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const asked = request(new URL(path + name, url), { method: 'POST', headers, ...(signal ? { signal } : {}) })
  asked.end(JSON.stringify(given))
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    if (response.statusCode !== 200) throw lost()
    for await (const text of createInterface({ input: response })) {
      const line = JSON.parse(text, revive) as Line
      if (line.error) {
        const { code, message } = line.error
        throw new HoneError(code in codes ? (code as ErrorCode) : 'STORE', message)
      }
      yield line
    }
  } catch (error) {
    if (signal?.aborted) throw new HoneError('CANCELLED', 'Stopped.')
    throw error instanceof HoneError ? error : lost(error)
  } finally {
    asked.destroy()
  }
}

function lost(cause?: unknown): HoneError {
  return new HoneError('DATA_LOCKED', 'A Hone has this data folder, but the connection to it broke off.', { cause })
}

/** JSON knows neither dates nor numbers that are none. */
function revive(key: string, value: unknown): unknown {
  if (/^(createdAt|startedAt|endedAt|askedAt)$/.test(key) && typeof value === 'string') return new Date(value)
  return key === 'value' && value === null ? Number.NaN : value
}
