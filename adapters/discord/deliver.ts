import type { APIMessage } from 'discord.js'
import type { Channel, Inbound, Person, ReplyEvent, ThreadId } from '../../src/ports/channel.ts'
import type { Api, Sent } from './api.ts'
import { channelOf, type Origin, originOf, threadName, timeOf, userOf } from './place.ts'
import { type Draft, draftAfter, messages } from './render.ts'
import { createStage, keepTyping, type StageOptions } from './stage.ts'
import { answerSurface, channelSurface, type Deferred, type Surface } from './surface.ts'
import { troubleOf } from './trouble.ts'

export interface DeliverOptions extends StageOptions {
  readonly api: Api
  /** The bot's own user id. */
  readonly me: () => string
  /** Interactions that wait for their answer, by event. */
  readonly deferred: Map<string, Deferred>
  /** Who asked, while a reply is being made: they may stop it. */
  readonly asking: Map<string, string>
  /** Events from before this moment may have been answered by an earlier process. */
  readonly since: number
  readonly now?: () => number
}

/** The channel that writes replies to Discord as they are made. */
export function discordChannel(options: DeliverOptions): Channel {
  const { api, asking } = options
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
    notice: (thread, text, person) => notice({ thread, text, person }, options),
    async tell({ id }, text) {
      const direct = await api.direct(userOf(id)).catch(() => undefined)
      return direct !== undefined && (await say(direct, text, options))
    },
  }
}

/** Says something that is no reply: to a person directly, as an answer to a command is for their eyes alone; else, and where they take no direct messages, where it was asked. */
async function notice(
  { thread, text, person }: { readonly thread: ThreadId; readonly text: string; readonly person: Person | undefined },
  options: DeliverOptions,
): Promise<void> {
  const direct = person && (await options.api.direct(userOf(person.id)).catch(() => undefined))
  if (!(direct && (await say(direct, text, options)))) await say(channelOf(thread), text, options)
}

/** False where nobody can be told; throws what may go well later, and is tried again at the next start. */
async function say(channel: string, text: string, { api, closed, log }: DeliverOptions): Promise<boolean> {
  if (closed.has(channel)) return false
  try {
    for (const body of messages(text)) await api.post(channel, body)
    return true
  } catch (error) {
    closed.note(channel, error)
    log.warn('discord.notice.failed', { channel, error })
    if (troubleOf(error) === 'passing') throw error
    return false
  }
}

async function deliver(event: Inbound, events: AsyncIterable<ReplyEvent>, options: DeliverOptions) {
  const surface = await surfaceFor(event, options)
  const stage = createStage(event, surface, options)
  let draft: Draft = { event: event.id, text: '', sources: [] }
  const typing = keepTyping(surface, options)
  const writing = stage.follow(() => draft)
  try {
    for await (const one of events) {
      draft = draftAfter(draft, one)
      if (draft.text || draft.end) typing.stop()
      stage.changed()
    }
  } catch (error) {
    options.log.warn('discord.reply.broken', { event: event.id, error })
    draft = draftAfter(draft, { kind: 'error', code: 'ENGINE_FAILED', message: 'The reply broke off. Ask again.' })
  }
  typing.stop()
  stage.end()
  await writing
  // Without an end the process is ending, and the next one goes on in the same message.
  return stage.finish(draft)
}

/** Where to show the reply, going on with what an earlier process has shown. */
async function surfaceFor(event: Inbound, options: DeliverOptions): Promise<Surface> {
  const { api, deferred, now = Date.now } = options
  const channel = await openPlace(event, options)
  const surface = channelSurface(api, event, channel, await earlierParts(event, channel, options))
  const waiting = deferred.get(event.id)
  return waiting ? answerSurface(api, waiting, surface, now) : surface
}

/** The channel to answer in: for a retry, where it was pressed; opens the thread that was promised. Where it may not, it answers where it was asked. */
async function openPlace(event: Inbound, { api, log }: DeliverOptions): Promise<string> {
  const channel = channelOf(event.thread)
  const origin = originOf(event.id)
  if (event.kind === 'retry') return origin?.channel ?? channel
  if (!origin || origin.channel === channel || origin.message !== channel) return channel
  const name = event.kind === 'message' ? threadName(event.text) : 'Question'
  try {
    await api.openThread(origin.channel, origin.message, name)
    return channel
  } catch (error) {
    log.warn('discord.thread.failed', { channel: origin.channel, error })
    return origin.channel
  }
}

/** What a process that was killed has already shown of this reply. */
async function earlierParts(event: Inbound, channel: string, options: DeliverOptions): Promise<readonly Sent[]> {
  const { api, me, since, log } = options
  const origin = originOf(event.id)
  if (!origin || timeOf(origin.own) >= since) return []
  try {
    return partsOf(
      event,
      { ...origin, opened: origin.channel !== channel },
      await api.ownSince(channel, origin.own, me()),
    )
  } catch (error) {
    log.warn('discord.earlier.failed', { event: event.id, error })
    return []
  }
}

/** Of the bot's own messages after an event, those that answer it: the first that says so, and what follows it. */
function partsOf(
  event: Inbound,
  origin: Origin & { readonly opened: boolean },
  own: readonly APIMessage[],
): readonly Sent[] {
  const follows = ({ message_reference, interaction_metadata, embeds }: APIMessage): boolean =>
    !message_reference && !interaction_metadata && embeds.length === 0
  const opens = (message: APIMessage): boolean => {
    if (origin.opened) return follows(message)
    if (!origin.message) return message.interaction_metadata?.id === origin.own
    return event.kind === 'message' && message.message_reference?.message_id === origin.message
  }
  const first = own.findIndex(opens)
  if (first < 0) return []
  const next = own.findIndex((message, index) => index > first && !follows(message))
  return own.slice(first, next < 0 ? undefined : next)
}
