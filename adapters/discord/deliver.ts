import { setTimeout as sleep } from 'node:timers/promises'
import type { APIMessage } from 'discord.js'
import type { Logger } from '../../src/log.ts'
import type { Channel, Inbound, MessageRef, ReplyEvent } from '../../src/ports/channel.ts'
import type { Api, Closed, Sent } from './api.ts'
import { channelOf, type Origin, originOf, timeOf } from './place.ts'
import { type Body, type Draft, draftAfter, messages, renderDraft } from './render.ts'
import { answerSurface, channelSurface, type Deferred, type Surface } from './surface.ts'
import { type Trouble, troubleOf } from './trouble.ts'

export interface DeliverOptions {
  readonly api: Api
  readonly closed: Closed
  readonly log: Logger
  /** The bot's own user id. */
  readonly me: () => string
  /** Interactions that wait for their answer, by event. */
  readonly deferred: Map<string, Deferred>
  /** Who asked, while a reply is being made: they may stop it. */
  readonly asking: Map<string, string>
  /** Events from before this moment may have been answered by an earlier process. */
  readonly since: number
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>
  readonly now?: () => number
}

const typingMs = 8000
/** What comes at once needs no announcement. */
const patientMs = 250
/** Waits between the tries to show the end of a reply: about ten minutes in all. */
const patience = [1, 2, 4, 8, 15, 30, 60, 60, 120, 300].map((seconds) => seconds * 1000)

/** The channel that writes replies to Discord as they are made. */
export function discordChannel(options: DeliverOptions): Channel {
  const { api, closed, log, asking } = options
  return {
    name: 'discord',
    duels: true,
    async deliver(event, events) {
      asking.set(event.id, event.person.id)
      const leave = api.pace.join()
      try {
        return await deliver(event, events, options)
      } finally {
        leave()
        asking.delete(event.id)
        options.deferred.delete(event.id)
      }
    },
    async notice(thread, text) {
      const channel = channelOf(thread)
      if (closed.has(channel)) return
      for (const body of messages(text)) {
        await api.post(channel, body).catch((error: unknown) => {
          closed.note(channel, error)
          log.warn('discord.notice.failed', { channel, error })
        })
      }
    },
  }
}

async function deliver(event: Inbound, events: AsyncIterable<ReplyEvent>, options: DeliverOptions) {
  const surface = await surfaceFor(event, options)
  const stage = createStage(event, surface, options)
  let draft: Draft = { event: event.id, text: '' }
  const typing = keepTyping(channelOf(event.thread), surface, options)
  const writing = stage.follow(() => draft)
  try {
    for await (const one of events) {
      draft = draftAfter(draft, one)
      if (draft.text || draft.end) typing.stop()
      stage.changed()
    }
  } catch (error) {
    options.log.warn('discord.reply.broken', { event: event.id, error })
  }
  typing.stop()
  stage.end()
  await writing
  const failure = { kind: 'error', code: 'ENGINE_FAILED', message: 'The reply broke off. Ask again.' } as const
  return stage.finish(draft.end ? draft : { ...draft, end: failure })
}

/** Where to show the reply; opens the thread that was promised, and finds what an earlier process has shown. */
async function surfaceFor(event: Inbound, options: DeliverOptions): Promise<Surface> {
  const { api, deferred, log, closed, now = Date.now } = options
  const channel = channelOf(event.thread)
  const origin = originOf(event.id)
  if (origin?.message && origin.channel !== channel && channel === origin.message) {
    const name = event.kind === 'message' ? event.text.replace(/\s+/g, ' ').slice(0, 90) : 'Question'
    await api.openThread(origin.channel, origin.message, name).catch((error: unknown) => {
      closed.note(channel, error)
      log.warn('discord.thread.failed', { channel: origin.channel, error })
    })
  }
  const surface = channelSurface(api, event, await earlierParts(event, options))
  const waiting = deferred.get(event.id)
  return waiting ? answerSurface(api, waiting, surface, now) : surface
}

/** What a process that was killed has already shown of this reply. */
async function earlierParts(event: Inbound, { api, me, since, log }: DeliverOptions): Promise<readonly Sent[]> {
  const origin = originOf(event.id)
  if (!origin || timeOf(origin.own) >= since) return []
  try {
    const channel = channelOf(event.thread)
    return partsOf(event, origin, await api.ownSince(channel, origin.own, me()))
  } catch (error) {
    log.warn('discord.earlier.failed', { event: event.id, error })
    return []
  }
}

/** Of the bot's own messages after an event, those that answer it: the first that says so, and what follows it. */
function partsOf(event: Inbound, origin: Origin, own: readonly APIMessage[]): readonly Sent[] {
  const follows = ({ message_reference, interaction_metadata, embeds }: APIMessage): boolean =>
    !message_reference && !interaction_metadata && embeds.length === 0
  const opens = (message: APIMessage): boolean => {
    if (origin.channel !== channelOf(event.thread)) return follows(message)
    if (!origin.message) return message.interaction_metadata?.id === origin.own
    return event.kind === 'message' && message.message_reference?.message_id === origin.message
  }
  const first = own.findIndex(opens)
  if (first < 0) return []
  const next = own.findIndex((message, index) => index > first && !follows(message))
  return own.slice(first, next < 0 ? undefined : next)
}

/** Shows that something is coming, until there is something. */
function keepTyping(channel: string, surface: Surface, { closed, wait = pause }: DeliverOptions): { stop(): void } {
  const stopped = new AbortController()
  const keep = async () => {
    await wait(patientMs, stopped.signal)
    while (!stopped.signal.aborted && !closed.has(channel)) {
      await surface.typing()
      await wait(typingMs, stopped.signal)
    }
  }
  // Nobody misses it where it fails.
  keep().catch((error: unknown) => closed.note(channel, error))
  return { stop: () => stopped.abort() }
}

function pause(ms: number, signal?: AbortSignal): Promise<unknown> {
  return sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}

/** The messages of one reply: always the newest state, at the pace that is allowed. */
function createStage(event: Inbound, surface: Surface, options: DeliverOptions) {
  const { closed, log, wait = pause } = options
  const channel = channelOf(event.thread)
  const shown: { readonly id: string; readonly key: string }[] = []
  const ended = new AbortController()
  let wake = Promise.withResolvers<void>()
  /** Set when nothing more can be shown: the message was deleted, or the channel is closed to us. */
  let over: Trouble | undefined = closed.has(channel) && !options.deferred.has(event.id) ? 'closed' : undefined

  async function sync(bodies: readonly Body[]): Promise<void> {
    for (const [part, body] of bodies.entries()) {
      const before = shown[part]
      const key = JSON.stringify([body.content, body.components])
      if (before?.key === key) continue
      const { id } = before ? await surface.edit(before.id, body) : await surface.post(part, body)
      shown[part] = { id, key }
    }
    for (const surplus of shown.splice(bodies.length)) await surface.remove(surplus.id)
  }

  /** @returns what went wrong, if something did. */
  async function attempt(bodies: readonly Body[]): Promise<Trouble | undefined> {
    try {
      await sync(bodies)
      return undefined
    } catch (error) {
      const trouble = troubleOf(error)
      log.warn('discord.send.failed', { event: event.id, channel, trouble, error })
      closed.note(channel, error)
      if (trouble === 'deleted' || trouble === 'closed') over = trouble
      return trouble
    }
  }

  return {
    changed: () => wake.resolve(),
    end() {
      ended.abort()
      wake.resolve()
    },
    /** Shows drafts until the end is called; what comes while one is being shown is passed over for the newest. */
    async follow(draft: () => Draft): Promise<void> {
      while (!ended.signal.aborted && !over) {
        await wake.promise
        wake = Promise.withResolvers()
        if (ended.signal.aborted || draft().end || !draft().text.trim()) continue
        await attempt(renderDraft(draft()))
        await wait(surface.gap(), ended.signal)
      }
    },
    /** Shows the end, with patience, and answers which messages carry the reply. */
    async finish(draft: Draft): Promise<readonly MessageRef[]> {
      for (const ms of [...patience, 0]) {
        if (over) break
        const trouble = await attempt(renderDraft(draft))
        if (trouble !== 'passing' && trouble !== 'expired') break
        await wait(ms)
      }
      return over ? [] : shown.map(({ id }) => ({ thread: event.thread, id }))
    },
  }
}
