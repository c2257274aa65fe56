import { setTimeout as sleep } from 'node:timers/promises'
import type { Inbound, MessageRef, ReplyEvent } from '../../src/ports/channel.ts'
import { hostsOf } from '../shared/links.ts'
import { isBroken, slackCode } from './api.ts'
import { earlier, nothing } from './earlier.ts'
import { editSurface, wholeSurface } from './edit.ts'
import { placeOf, userOf } from './place.ts'
import {
  doneMark,
  duelBlocks,
  duelText,
  errorBlocks,
  plainReplyBlocks,
  replyBlocks,
  sourceBlocks,
  type Task,
} from './render/reply.ts'
import { safeText, settled } from './render/text.ts'
import type { Site } from './site.ts'
import { streamSurface } from './stream.ts'
import type { Draft, Final, Surface, View } from './surface.ts'

/** Everything that was said about a reply so far. */
interface Progress {
  text: string
  tasks: Task[]
  end?: Extract<ReplyEvent, { kind: 'done' | 'duel' | 'error' }>
}

/** Milliseconds until a reply is told once more that Slack could not be reached for. */
const outages = [2000, 10_000, 30_000, 60_000]

/**
 * Writes one reply into Slack: streamed where Slack streams, else by editing one message, else in one piece. The text
 * is gathered while a call waits for its turn, so many replies at once get slower steps instead of errors.
 */
export async function deliverReply(
  site: Site,
  event: Inbound,
  events: AsyncIterable<ReplyEvent>,
): Promise<readonly MessageRef[]> {
  const refs = (messages: readonly string[]) => messages.map((id) => ({ thread: event.thread, id }))
  const isNew = (await site.arriving.get(event.id)) === 'accepted'
  const before = isNew ? nothing : await earlier(site, event).catch((error: unknown) => ({ ...nothing, error }))
  if (before.whole) {
    for await (const _ of events);
    return refs(before.messages)
  }
  const draft = newDraft(event, before.messages)
  const session = site.sessions.begin(draft.place, draft.user)
  const surfaces = waysOf(site, draft, session, before.messages.length > 0)
  const pen = createPen({ site, draft, surfaces, ...('error' in before ? { failure: before.error } : {}) })
  try {
    await follow(events, pen)
    return refs(draft.messages)
  } catch (error) {
    return refs(await persist(site, event, pen.progress, error))
  } finally {
    if ((await session) && !draft.sessionEnded) await site.sessions.end(draft.place)
  }
}

/** Slack could not be reached: looks again and again what stands there of the reply, and goes on with that. */
async function persist(site: Site, event: Inbound, progress: Progress, broken: unknown): Promise<readonly string[]> {
  const { api, leaving, wait = (ms: number) => sleep(ms, undefined, { signal: leaving }).catch(() => undefined) } = site
  let failure = broken
  for (const pause of outages) {
    if (!isBroken(failure)) break
    site.log.warn('slack.outage', { event: event.id, pause })
    await wait(pause)
    if (leaving.aborted) break
    try {
      const { messages, whole } = await earlier(site, event)
      if (whole) return messages
      const draft = newDraft(event, messages)
      const surfaces = [editSurface(api, draft), wholeSurface(api, draft)]
      await attempt({ site, draft, surfaces }, (surface) => surface.end(finalOf(progress, event.id)))
      return draft.messages
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function newDraft(event: Inbound, messages: readonly string[]): Draft {
  return {
    place: placeOf(event.thread),
    user: userOf(event.person),
    event: event.id,
    messages: [...messages],
    finished: false,
    base: 0,
    prefix: '',
    sessionEnded: false,
  }
}

/** The ways of writing, best first. A message that an earlier process began can only be edited. */
function waysOf(site: Site, draft: Draft, session: Promise<boolean>, adopted: boolean): Surface[] {
  const { api, now, wait } = site
  const stream = () => streamSurface({ api, draft, session, now, ...(wait ? { wait } : {}) })
  const streams = site.streaming && !adopted && draft.place.thread !== undefined
  return [...(streams ? [stream()] : []), editSurface(api, draft), wholeSurface(api, draft)]
}

interface Pen {
  readonly progress: Progress
  /** Something is new. */
  touch(): void
  /** Writes the end, if there is one; resolves when it stands in Slack. */
  finish(): Promise<void>
}

interface Writing {
  readonly site: Site
  readonly draft: Draft
  /** The ways that are left, best first. */
  readonly surfaces: Surface[]
  /** Why nothing may be written before it was seen what stands there. */
  readonly failure?: unknown
}

/**
 * Takes a step on the best surface that is left; the last one is kept, to be tried again. A message that Slack may have
 * heard of is never posted a second time on the chance that it has not.
 */
async function attempt({ site, draft, surfaces }: Writing, step: (surface: Surface) => Promise<void>) {
  for (let surface = surfaces[0]; surface; surface = surfaces[0]) {
    try {
      return await step(surface)
    } catch (error) {
      const why = slackCode(error) ?? (error instanceof Error ? error.message : String(error))
      site.log.info('slack.fallback', { event: draft.event, left: surfaces.length - 1, why })
      const posted = draft.messages.length > 0 && !draft.finished
      if (surfaces.length === 1 || (isBroken(error) && !posted)) throw error
      surfaces.shift()
    }
  }
}

/** Shows the newest state again and again, each as soon as Slack's limits let it. */
function createPen(writing: Writing): Pen {
  const { site, draft, surfaces } = writing
  let { failure } = writing
  const progress: Progress = { text: '', tasks: [] }
  const ended = Promise.withResolvers<void>()
  let changed = Promise.withResolvers<void>()
  let over = false

  async function write(): Promise<void> {
    while (!over && !failure) {
      await Promise.race([changed.promise, ended.promise])
      if (over) return
      changed = Promise.withResolvers()
      await Promise.race([surfaces[0]?.turn(), ended.promise])
      if (over) return
      await attempt(writing, (surface) => surface.show(viewOf(progress)))
    }
  }
  const showing = write().catch((error: unknown) => {
    failure = error
    site.log.warn('slack.show.failed', { event: draft.event, error })
  })
  return {
    progress,
    touch: () => changed.resolve(),
    async finish() {
      over = true
      ended.resolve()
      await showing
      // Without an end the process is ending, and the next one goes on in the same message.
      if (!progress.end) return
      if (failure) throw failure
      await attempt(writing, (surface) => surface.end(finalOf(progress, draft.event)))
    },
  }
}

async function follow(events: AsyncIterable<ReplyEvent>, pen: Pen): Promise<void> {
  const { progress } = pen
  try {
    for await (const event of events) {
      take(progress, event)
      pen.touch()
    }
  } catch {
    // The core logs what went wrong; people need to know only that no more will come.
    progress.end = { kind: 'error', code: 'ENGINE_FAILED', message: 'The reply broke off. Send your message again.' }
  }
  await pen.finish()
}

function take(progress: Progress, event: ReplyEvent): void {
  const last = progress.tasks.at(-1)
  const done = () => progress.tasks.map((task) => ({ ...task, done: true }))
  switch (event.kind) {
    case 'status':
      progress.tasks = [
        ...done(),
        { id: `task${progress.tasks.length + 1}`, title: event.text, done: false, sources: [] },
      ]
      break
    case 'source':
      if (last) progress.tasks = [...progress.tasks.slice(0, -1), { ...last, sources: [...last.sources, event.source] }]
      break
    case 'delta':
      if (!last?.done) progress.tasks = done()
      progress.text += event.text
      break
    default:
      progress.tasks = done()
      progress.end = event
  }
}

const foundHosts = ({ tasks }: Pick<Progress, 'tasks'>) => hostsOf(tasks.flatMap(({ sources }) => sources))

function viewOf(progress: Progress): View {
  const text = progress.text.trimStart()
  return { text: safeText(text.slice(0, settled(text)), foundHosts(progress)), tasks: progress.tasks }
}

/** The whole reply with what belongs below it. Nobody can vote on one that failed. */
function finalOf({ text, tasks, end }: Progress, event: string): Final {
  const mark = doneMark(event)
  switch (end?.kind) {
    case 'done': {
      const { turn, sources } = end.reply
      const below = sourceBlocks(sources)
      // The links that were allowed while it was written are those of all passages.
      const hosts = new Set([...hostsOf(sources), ...foundHosts({ tasks })])
      return {
        text: safeText(end.reply.text, hosts),
        tasks,
        blocks: [...below, ...replyBlocks(turn, mark)],
        plainBlocks: [...below, ...plainReplyBlocks(turn, mark)],
      }
    }
    case 'duel': {
      const blocks = [...sourceBlocks(end.left.sources), ...duelBlocks(end.duel, mark)]
      return {
        text: safeText(duelText(end.left, end.right), hostsOf(end.left.sources)),
        tasks,
        blocks,
        plainBlocks: blocks,
      }
    }
    default: {
      const blocks = errorBlocks(end?.message ?? 'The reply broke off. Send your message again.', mark)
      return { text: safeText(text.trim(), foundHosts({ tasks })), tasks, blocks, plainBlocks: blocks }
    }
  }
}
