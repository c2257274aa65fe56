import { counted } from '../../src/counted.ts'
import { hostsOf } from '../shared/links.ts'
import type { Heard } from './heard.ts'
import { final, informative, type Look, madeMessage, partial, plainMessage, settled } from './render.ts'
import { type Outgoing, type Refusal, refusalOf } from './sdk.ts'

/** Milliseconds that only grow, and how to let some pass. */
export interface Clock {
  now(): number
  wait(ms: number): Promise<unknown>
  /** Resolves when something that may never come has been waited for long enough. Keeps no process alive. */
  alarm(ms: number): Promise<unknown>
}

export interface StreamLine {
  /** Sends one activity and resolves with its id; rejects with the SDK's error. */
  send(activity: Outgoing): Promise<string>
  readonly clock: Clock
  readonly look: Look
  /** Teams has said under which id the stream stands. */
  begun(id: string): void
  /** The person pressed Stop. */
  stopped(): void
}

/** How far a stream has come when the reply has ended. */
export interface Streamed {
  /** `open`: its last message is still to come. */
  readonly state: 'open' | 'closed' | 'stopped' | 'none'
  /** The id of the message that the stream is; empty when there is none. */
  readonly id: string
  /** The beginning of the reply that people can read already. */
  readonly said: string
  /** When the next call may be made. */
  readonly nextAt: number
}

/** Teams wants a second between two calls, and advises a little more. */
export const firstPauseMs = 1500
/** Every call repeats the whole text, so they become rarer while it grows. */
const longestPauseMs = 4000
const growth = 1.1
/** Teams ends a stream after two minutes. Ours ends before, so that it ends with a proper message. */
const longestStreamMs = 105_000
/** About 28 KB fit into a message. */
export const longestText = 12_000
const takesLonger = 'This takes a little longer; the answer follows as a message of its own.'

/**
 * Streams a reply into a personal chat while it is made: status lines, then the growing text, at a pace that Teams
 * allows. Returns once the reply has ended, was stopped, or can't be streamed any further; what is then left to say is
 * the caller's business.
 */
export async function stream(heard: Heard, line: StreamLine): Promise<Streamed> {
  const { clock } = line
  let at: Streamed = { state: 'none', id: '', said: '', nextAt: clock.now() }
  let sequence = 0
  let pause = firstPauseMs
  let shown = ''
  let endsAt = Number.POSITIVE_INFINITY
  /** One alarm a stream, however often something changes. */
  let expired: Promise<unknown> | undefined
  while (!heard.end) {
    if (clock.now() >= endsAt) return close(at, heard, line)
    const text = longer(at.said, settled(heard.said.trimStart()).trimEnd())
    const update = text || statusLine(heard)
    if (!update || update === shown) {
      await Promise.race([heard.changed(), ...(expired ? [expired] : [])])
      continue
    }
    await until(at.nextAt, heard, clock)
    if (heard.end) break
    if (at.id && (clock.now() >= endsAt || text.length > longestText)) return close(at, heard, line)
    if (!expired) {
      endsAt = clock.now() + longestStreamMs
      expired = clock.alarm(longestStreamMs)
    }
    const part = { sequence: sequence + 1, ...(at.id ? { id: at.id } : {}) }
    try {
      const id = await line.send(text ? partial(text, part, hostsOf(heard.sources)) : informative(update, part))
      if (sequence === 0) line.begun(id)
      sequence += 1
      shown = update
      at = { state: 'open', id: at.id || id, said: text, nextAt: clock.now() + pause }
      pause = Math.min(pause * growth, longestPauseMs)
    } catch (error) {
      const refusal = refusalOf(error)
      const what = meaningOf(refusal, at.id !== '')
      if (what === 'later') at = { ...at, nextAt: clock.now() + (refusal.retryAfterMs ?? 2 * pause) }
      else return refused(what, at, line)
    }
  }
  return at
}

/** Of two beginnings of one text; what was shown once must go on being shown. */
function longer(a: string, b: string): string {
  return a.length >= b.length ? a : b
}

function statusLine({ status, sources }: Heard): string {
  if (sources.length === 0) return status && `${status.replace(/[\s.…]+$/, '')} …`
  return `Reading ${counted(sources.length, 'source')} …`
}

/** Waits for the pace, but not longer than the reply takes. */
async function until(time: number, heard: Heard, { now, wait }: Clock): Promise<void> {
  const ms = time - now()
  if (ms > 0) await Promise.race([wait(ms), heard.ended])
}

function refused(what: Exclude<Meaning, 'later'>, at: Streamed, line: StreamLine): Streamed {
  // A message that was begun is completed, however its stream ended: it is known on disk, and must not be told beside.
  if (what !== 'stopped') return { ...at, state: at.id ? 'open' : 'none' }
  line.stopped()
  return { ...at, state: 'stopped' }
}

/** Ends a stream whose reply goes on. */
async function close(at: Streamed, { sources }: Heard, line: StreamLine): Promise<Streamed> {
  const text = `${at.said} …`
  const message = at.said ? madeMessage({ text, sources }, line.look, hostsOf(sources)) : plainMessage(takesLonger)
  try {
    await line.send(final(message, at.id))
  } catch (error) {
    const what = meaningOf(refusalOf(error), true)
    if (what === 'stopped') return refused(what, at, line)
  }
  return { ...at, state: 'closed', nextAt: line.clock.now() + firstPauseMs }
}

/** `over`: Teams has ended the stream. `unfit`: it can't be streamed; a plain message may be sent. */
export type Meaning = 'later' | 'stopped' | 'over' | 'unfit'

/** What a refused call means. A 403 in the middle of a stream is the Stop button unless it says otherwise. */
export function meaningOf({ status, text }: Refusal, started: boolean): Meaning {
  if ([0, 408, 412, 429, 500, 502, 503, 504].includes(status)) return 'later'
  if (status !== 403) return 'unfit'
  if (/exceeded streaming time|too large|already completed/i.test(text)) return 'over'
  if (/previously streamed/i.test(text)) return 'unfit'
  return started || isStopped({ status, text }) ? 'stopped' : 'unfit'
}

/** Teams says in so many words that the person pressed Stop. */
export function isStopped({ status, text }: Refusal): boolean {
  return status === 403 && /cancel/i.test(text)
}
