import { html, raw } from 'hono/html'
import type { SSEStreamingApi } from 'hono/streaming'
import type { ThreadId } from '../../src/ports/channel.ts'
import { keyOf } from './family.ts'
import { noticeLine } from './render/chat.ts'
import type { Page } from './render/layout.ts'
import { markdown } from './render/markdown.ts'
import { exchange, liveBody, liveStatus, slot } from './render/reply.ts'
import type { Site } from './site.ts'
import type { Change, Live } from './stream.ts'
import type { ExchangeView } from './view.ts'

/** Sent now and then, so that a dead connection is noticed and proxies keep a live one open. */
const heartbeatMs = 20_000

interface Sending {
  readonly site: Site
  readonly page: Page
  readonly thread: ThreadId
  readonly after: string
  readonly stream: SSEStreamingApi
}

/**
 * Sends a thread's changes as server-sent events until the page goes away. Each event holds a whole state (the text so
 * far, the finished reply), so one that is repeated or left out does no harm.
 */
export async function sendChanges(sending: Sending): Promise<void> {
  const { site, stream } = sending
  await untilGone(site.signal, stream, async (signal) => {
    const opened = new Set<string>()
    for await (const change of site.streams.subscribe(sending.thread, sending.after, signal)) {
      if (signal.aborted) return
      await sendChange(sending, change, opened)
    }
  })
}

/** Runs `work` with a signal that ends when the reader goes away or the adapter is detached; keeps the line warm. */
export async function untilGone(
  detached: AbortSignal,
  stream: SSEStreamingApi,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const gone = new AbortController()
  stream.onAbort(() => gone.abort())
  const beat = setInterval(() => void stream.write(': still here\n\n'), heartbeatMs)
  beat.unref()
  try {
    await stream.write('retry: 1000\n\n')
    await work(AbortSignal.any([gone.signal, detached]))
  } finally {
    clearInterval(beat)
  }
}

async function sendChange(sending: Sending, change: Change, opened: Set<string>): Promise<void> {
  const { site, stream, page } = sending
  if (change.kind === 'refresh') return stream.writeSSE({ event: 'refresh', data: '{}' })
  if (change.kind === 'notice') {
    const line = noticeLine(change.notice, raw(markdown(change.notice.text)))
    return send(
      stream,
      'notice',
      { id: `n-${change.notice.seq}`, html: String(await line) },
      site.streams.cursor(change.notice.seq),
    )
  }
  const { live } = change
  const id = site.streams.cursor(live.seq)
  if (live.end || !opened.has(live.event.id)) {
    opened.add(live.event.id)
    const view = await site.views.exchange(live.event)
    if (!view) return
    return send(stream, live.end ? 'final' : 'begin', await wholeOf(page, live, view), live.end ? id : undefined)
  }
  const body = String(await html`${liveBody(live)}`)
  return send(stream, 'body', { reply: `r-${keyOf(live.event.id)}`, html: body, status: liveStatus(live) })
}

async function wholeOf(page: Page, live: Live, view: ExchangeView) {
  return {
    key: view.key,
    reply: `r-${keyOf(live.event.id)}`,
    slot: String(await slot(page, view.slot)),
    // A retry has its place already; a message that this page didn't send needs the whole exchange.
    exchange: live.event.kind === 'message' ? String(await exchange(page, view)) : '',
    done: doneId(live),
    aloud: aloud(live),
  }
}

/** The id that the finished reply has in the page. */
function doneId(live: Live): string {
  if (live.end?.kind === 'done') return `r-${keyOf(live.end.reply.turn)}`
  return live.end?.kind === 'duel' ? `d-${keyOf(live.end.duel)}` : ''
}

/** What a screen reader says when a reply has ended. */
function aloud(live: Live): string {
  switch (live.end?.kind) {
    case 'done':
      return live.end.reply.text.slice(0, 1500)
    case 'duel':
      return 'Two answers to choose from.'
    case 'error':
      return live.end.message
    default:
      return ''
  }
}

function send(stream: SSEStreamingApi, event: string, data: object, id?: string): Promise<void> {
  return stream.writeSSE({ event, data: JSON.stringify(data), ...(id === undefined ? {} : { id }) })
}
