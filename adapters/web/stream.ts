import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Inbound, Reply, ReplyEvent, Source, ThreadId } from '../../src/ports/channel.ts'

/** What is known of a reply while it is made, and for a while after. */
export interface Live {
  readonly event: Inbound
  /** Grows with every change; larger than any earlier change of any reply. */
  seq: number
  status: string
  text: string
  sources: Source[]
  end?:
    | { readonly kind: 'done'; readonly reply: Reply }
    | { readonly kind: 'duel'; readonly duel: string; readonly left: Reply; readonly right: Reply }
    | { readonly kind: 'error'; readonly code: string; readonly message: string }
}

/** Something to show in a thread that is no reply. */
export interface Notice {
  readonly seq: number
  readonly text: string
}

/** What a subscriber is told: the newest state, never a step on the way to it, so that nothing is lost or doubled. */
export type Change =
  | { readonly kind: 'live'; readonly live: Live }
  | { readonly kind: 'notice'; readonly notice: Notice }
  /** The subscriber missed more than is kept and must read the thread from the store. */
  | { readonly kind: 'refresh' }

export interface Streams {
  /** Begins, or begins again, the reply to an event. The same event twice is one reply. */
  open(event: Inbound): Live
  push(live: Live, event: ReplyEvent): void
  notice(thread: ThreadId, text: string): void
  lives(thread: ThreadId): readonly Live[]
  /** The first event that is known of each thread whose id begins so, newest thread first. */
  openings(prefix: string): readonly Inbound[]
  /** Where a page stands that is rendered now, or that was told of this change; pass it to `subscribe`. */
  cursor(seq?: number): string
  subscribe(thread: ThreadId, after: string, signal: AbortSignal): AsyncIterable<Change>
  close(): void
}

interface ThreadBuffer {
  readonly lives: Map<string, Live>
  notices: Notice[]
  readonly wake: Set<() => void>
}

/** A streaming reply is sent at most this often; the eye sees no difference. */
const paceMs = 50
const keptPerThread = 20
const keptThreads = 500

/** The buffers that replies stream through, per thread, from the channel to every page that shows it. */
export function streams(): Streams {
  const boot = randomBytes(6).toString('hex')
  const threads = new Map<ThreadId, ThreadBuffer>()
  const closed = new AbortController()
  let seq = 0
  /** Changes up to this one may have been dropped. */
  let floor = 0

  const buffer = (thread: ThreadId) => newest(threads, thread)
  return {
    open(event) {
      const thread = buffer(event.thread)
      const live: Live = { event, seq: ++seq, status: '', text: '', sources: [] }
      thread.lives.set(event.id, live)
      floor = Math.max(floor, trim(thread), forget(threads) ? seq : 0)
      changed(thread)
      return live
    },
    push(live, event) {
      live.seq = ++seq
      apply(live, event)
      changed(buffer(live.event.thread))
    },
    notice(id, text) {
      const thread = buffer(id)
      thread.notices = [...thread.notices.slice(-9), { seq: ++seq, text }]
      changed(thread)
    },
    lives: (thread) => [...(threads.get(thread)?.lives.values() ?? [])],
    openings: (prefix) =>
      [...threads]
        .filter(([id]) => id.startsWith(prefix))
        .flatMap(([, { lives }]) => [...lives.values()].slice(0, 1).map(({ event }) => event))
        .reverse(),
    cursor: (at = seq) => `${boot}.${at}`,
    subscribe(id, after, signal) {
      const [from, last] = after.split('.')
      const known = from === boot && Number(last) >= floor
      return follow(buffer(id), known ? Number(last) : null, AbortSignal.any([signal, closed.signal]))
    },
    close: () => closed.abort(),
  }
}

/** The buffer of a thread, made if need be, and moved to where it is dropped last. */
function newest(threads: Map<ThreadId, ThreadBuffer>, id: ThreadId): ThreadBuffer {
  const thread = threads.get(id) ?? { lives: new Map(), notices: [], wake: new Set() }
  threads.delete(id)
  threads.set(id, thread)
  return thread
}

function changed(thread: ThreadBuffer): void {
  for (const wake of [...thread.wake]) wake()
}

/** Drops the oldest threads that nobody looks at and where nothing is being made. True: something was dropped. */
function forget(threads: Map<ThreadId, ThreadBuffer>): boolean {
  const before = threads.size
  for (const [id, thread] of threads) {
    if (threads.size <= keptThreads) break
    const busy = thread.wake.size > 0 || [...thread.lives.values()].some((live) => !live.end)
    if (!busy) threads.delete(id)
  }
  return threads.size < before
}

/** Drops the oldest finished replies of a thread; answers the newest change that went with them. */
function trim(thread: ThreadBuffer): number {
  let dropped = 0
  for (const [id, live] of thread.lives) {
    if (thread.lives.size <= keptPerThread) break
    if (!live.end) continue
    thread.lives.delete(id)
    dropped = Math.max(dropped, live.seq)
  }
  return dropped
}

function apply(live: Live, event: ReplyEvent): void {
  switch (event.kind) {
    case 'status':
      live.status = event.text
      break
    case 'source':
      live.sources.push(event.source)
      break
    case 'delta':
      live.text += event.text
      break
    default:
      live.end = event
  }
}

async function* follow(thread: ThreadBuffer, after: number | null, signal: AbortSignal): AsyncGenerator<Change> {
  let last = after ?? 0
  let woken = Promise.withResolvers<void>()
  const wake = () => woken.resolve()
  thread.wake.add(wake)
  signal.addEventListener('abort', wake, { once: true })
  try {
    if (after === null) yield { kind: 'refresh' }
    while (!signal.aborted) {
      woken = Promise.withResolvers<void>()
      const lives = [...thread.lives.values()].filter((live) => live.seq > last)
      const notices = thread.notices.filter((notice) => notice.seq > last)
      last = Math.max(last, ...lives.map((live) => live.seq), ...notices.map((notice) => notice.seq))
      for (const live of lives) yield { kind: 'live', live }
      for (const notice of notices) yield { kind: 'notice', notice }
      if (lives.length > 0) await wait(paceMs, undefined, { signal }).catch(() => undefined)
      else await woken.promise
    }
  } finally {
    thread.wake.delete(wake)
    signal.removeEventListener('abort', wake)
  }
}
