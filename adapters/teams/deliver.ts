import type { Logger } from '../../src/log.ts'
import type { Channel, Inbound, MessageRef, Reply } from '../../src/ports/channel.ts'
import type { Pacer } from '../shared/pace.ts'
import { splitText } from '../shared/split.ts'
import { type Address, type Addresses, referenceOf } from './address.ts'
import { cardMessage, duelCard } from './cards.ts'
import { type Ending, type Heard, listen } from './heard.ts'
import { aiEntity, final, type Look, plainMessage, replyMessage } from './render.ts'
import { loggable, type Outgoing, proactively, refusalOf, type TurnContext } from './sdk.ts'
import { type Clock, firstPauseMs, longestText, meaningOf, type Streamed, stream } from './stream.ts'
import { carried } from './wire.ts'

/** What it takes to say something in Teams outside of a request. */
export interface Voice {
  readonly adapter: object
  readonly app: () => string
  readonly addresses: Addresses
  readonly pacer: Pacer
  readonly clock: Clock
  readonly log: Logger
}

export interface Delivery extends Voice {
  readonly look: Look
  /** Ends the generation of a reply: the person pressed Stop. */
  readonly stop: (eventId: string) => void
}

const keptDeliveries = 1000
const attempts = 6
const typingEveryMs = 5000

/** Teams as a channel: streams in personal chats, one message elsewhere. */
export function teamsChannel(parts: Delivery): Channel {
  const delivered = new Map<string, Promise<readonly MessageRef[]>>()
  return {
    name: 'teams',
    duels: true,
    async deliver(event, events) {
      const heard = listen(events)
      const known = delivered.get(event.id)
      const refs = known ?? deliver(event, heard, parts)
      delivered.set(event.id, refs)
      const [oldest] = delivered.keys()
      if (delivered.size > keptDeliveries && oldest) delivered.delete(oldest)
      await heard.ended
      return refs
    },
    async notice(thread, text) {
      await say(parts, thread, plainMessage(text))
    },
  }
}

async function deliver(event: Inbound, heard: Heard, parts: Delivery): Promise<readonly MessageRef[]> {
  const { thread } = event
  try {
    const address = parts.addresses.find(thread)
    if (!address) throw new Error(`${thread} is no conversation of Teams.`)
    const ids = await proactively(parts.adapter, parts.app(), referenceOf(address), async (context) => {
      const line = { ...parts, address, send: sender(context, parts.pacer, address) }
      return address.kind === 'personal' ? personal(event, heard, line) : shared(heard, line)
    })
    return ids.filter(Boolean).map((id) => ({ thread, id }))
  } catch (error) {
    parts.log.error('teams.deliver.failed', { ...loggable(error), event: event.id })
    await heard.ended
    return []
  }
}

interface Line extends Delivery {
  readonly address: Address
  readonly send: (activity: Outgoing) => Promise<string>
}

function sender(context: TurnContext, pacer: Pacer, { tenant }: Address): Line['send'] {
  return async function send(activity) {
    await pacer.take(tenant)
    return (await context.sendActivity(carried(context, activity)))?.id ?? ''
  }
}

async function personal(event: Inbound, heard: Heard, line: Line): Promise<readonly string[]> {
  const streamed = await stream(heard, { ...line, stopped: () => line.stop(event.id) })
  const ending = await heard.ended
  if (streamed.state === 'stopped') return [streamed.id]
  const earlier = streamed.state === 'closed' ? [streamed.id] : []
  const messages = messagesOf(restOf(ending, streamed), line)
  return [...earlier, ...(await finish(messages, streamed, line))]
}

/** In groups and channels nothing can be streamed: typing, then the reply as one message. */
async function shared(heard: Heard, line: Line): Promise<readonly string[]> {
  while (!heard.end) {
    await line.send({ type: 'typing' }).catch(() => '')
    await Promise.race([line.clock.wait(typingEveryMs), heard.ended])
  }
  const ending = await heard.ended
  return finish(messagesOf(ending, line), { state: 'none', id: '', said: '', nextAt: 0 }, line)
}

/** The ending without what people can read already. */
function restOf(ending: Ending, { state, said }: Streamed): Ending {
  if (ending.kind === 'duel' || !said) return ending
  if (ending.kind === 'error') return state === 'open' ? { ...ending, message: `${said}\n\n${ending.message}` } : ending
  const { reply } = ending
  // Teams refuses a text that does not begin with what was streamed before.
  if (state === 'open' && !reply.text.startsWith(said)) return done(ending, `${said}\n\n${reply.text}`)
  if (state !== 'closed' || !reply.text.startsWith(said)) return ending
  return done(ending, reply.text.slice(said.length).trim() || 'That was the whole answer.')
}

function done(ending: Extract<Ending, { kind: 'done' }>, text: string): Ending {
  return { ...ending, reply: { ...ending.reply, text } }
}

/** The messages that an ending is told by; the last one has the thumbs. */
function messagesOf(ending: Ending, { look, address }: Pick<Line, 'look' | 'address'>): readonly Outgoing[] {
  switch (ending.kind) {
    case 'done':
      return replyMessages(ending.reply, look, address)
    case 'duel':
      return [duelMessage(ending, look)]
    case 'error':
      return [plainMessage(ending.message)]
  }
}

function duelMessage({ duel, left, right }: Extract<Ending, { kind: 'duel' }>, look: Look): Outgoing {
  const message = cardMessage(duelCard(duel, left, right), 'Two answers: which one is better?')
  return { ...message, entities: [aiEntity([], look)] }
}

function replyMessages(reply: Reply, look: Look, { kind, person }: Address): readonly Outgoing[] {
  const parts = splitText(reply.text, longestText)
  const last = parts.pop() ?? reply.text
  // Suggestions exist in personal chats only.
  const asker = kind === 'personal' ? person : undefined
  return [...parts.map(plainMessage), replyMessage({ ...reply, text: last }, look, asker)]
}

/** Sends the messages; the first one ends the stream, if one is open. Resolves with the ids of all. */
async function finish(messages: readonly Outgoing[], streamed: Streamed, line: Line): Promise<readonly string[]> {
  const { clock } = line
  const ids: string[] = []
  let nextAt = streamed.nextAt
  let open = streamed.state === 'open'
  for (const message of messages) {
    await clock.wait(Math.max(0, nextAt - clock.now()))
    const id = open ? await endStream(message, streamed.id, line) : await persistently(message, line)
    if (id === undefined) return [...ids, streamed.id]
    ids.push(id)
    open = false
    nextAt = clock.now() + firstPauseMs
  }
  return ids
}

/** The last message of a stream; a plain one when Teams has ended the stream by itself; undefined after Stop. */
async function endStream(message: Outgoing, id: string, line: Line): Promise<string | undefined> {
  try {
    await persistently(final(message, id), line)
    return id
  } catch (error) {
    if (meaningOf(refusalOf(error), true) === 'stopped') return undefined
    return persistently(message, line)
  }
}

/** Sends again what Teams had no time for. */
async function persistently(message: Outgoing, { send, clock }: Pick<Line, 'send' | 'clock'>): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(message)
    } catch (error) {
      const refusal = refusalOf(error)
      if (attempt === attempts || meaningOf(refusal, true) !== 'later') throw error
      await clock.wait(refusal.retryAfterMs ?? firstPauseMs * 2 ** (attempt - 1))
    }
  }
}

/** Says something in a conversation that is no reply. Resolves with the id of the message. */
export async function say(voice: Voice, thread: string, message: Outgoing): Promise<string> {
  return inThread(voice, thread, (context, address) =>
    persistently(message, { ...voice, send: sender(context, voice.pacer, address) }),
  )
}

/** Changes a message that was said before. */
export async function edit(voice: Voice, thread: string, id: string, message: Outgoing): Promise<void> {
  await inThread(voice, thread, async (context, address) => {
    await voice.pacer.take(address.tenant)
    await context.updateActivity(carried(context, { ...message, id }))
  })
}

async function inThread<T>(
  voice: Voice,
  thread: string,
  work: (context: TurnContext, address: Address) => Promise<T>,
): Promise<T> {
  const address = voice.addresses.find(thread)
  if (!address) throw new Error(`${thread} is no conversation of Teams.`)
  return proactively(voice.adapter, voice.app(), referenceOf(address), (context) => work(context, address))
}
