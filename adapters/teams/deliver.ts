import { HoneError } from '../../src/errors.ts'
import type { Channel, Inbound, MessageRef, Reply } from '../../src/ports/channel.ts'
import { hostsOf } from '../shared/links.ts'
import { splitText } from '../shared/split.ts'
import type { Address } from './address.ts'
import { attachment, cardMessage, duelCard, whyCard } from './cards.ts'
import { type Ending, type Heard, listen } from './heard.ts'
import {
  aiEntity,
  final,
  type Hosts,
  type Look,
  madeMessage,
  oneMoment,
  opening,
  plainMessage,
  replyMessage,
} from './render.ts'
import { loggable, type Outgoing, type Refusal, refusalOf } from './sdk.ts'
import { firstPauseMs, isStopped, longestText, meaningOf, type Streamed, stream } from './stream.ts'
import { inThread, type Spoken, say, type Voice } from './voice.ts'

export interface Delivery extends Voice {
  readonly look: Look
  /** Ends the generation of a reply: the person pressed Stop. */
  readonly stop: (eventId: string) => void
  /** Keeps in which messages the reply to an event is being shown. On disk once it resolves. */
  readonly keep: (event: Inbound, messages: readonly string[]) => Promise<void>
}

const keptDeliveries = 1000
const typingEveryMs = 5000
/** Marks a kept id as that of a message that is edited, not of a stream that is ended. */
const edited = 'edit:'
const idOf = (begun: string): string => begun.replace(edited, '')

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
      const [messages] = await Promise.all([refs, heard.ended])
      return messages
    },
    async notice(thread, text) {
      await say(parts, thread, plainMessage(text))
    },
    async tell(_person, text, threads) {
      // A conversation with one person is known once they wrote in it.
      const personal = threads.find((thread) => parts.addresses.find(thread)?.kind === 'personal')
      if (personal) await say(parts, personal, plainMessage(text))
      return personal !== undefined
    },
  }
}

async function deliver(event: Inbound, heard: Heard, parts: Delivery): Promise<readonly MessageRef[]> {
  const { thread } = event
  try {
    const ids = await inThread(parts, thread, (spoken) => {
      const line = { ...parts, ...spoken, event, heard }
      if (event.begun?.length) return takenUp(event.begun, line)
      return spoken.address.kind === 'personal' ? personal(line) : shared(line)
    })
    return ids.filter(Boolean).map((id) => ({ thread, id: idOf(id) }))
  } catch (error) {
    parts.log.error('teams.deliver.failed', { ...loggable(error), event: event.id })
    await heard.ended
    const { status, reason } = loggable(error)
    throw new HoneError('UNDELIVERED', `The reply was not shown in Teams: ${status || ''} ${reason}`, { cause: error })
  }
}

/** One reply in one conversation. */
interface Line extends Delivery, Spoken {
  readonly event: Inbound
  readonly heard: Heard
}

async function personal(line: Line): Promise<readonly string[]> {
  const { event, heard } = line
  let kept: Promise<void> = Promise.resolve()
  const streamed = await stream(heard, {
    ...line,
    stopped: () => line.stop(event.id),
    begun: (id) => {
      kept = keepIds([id], line)
    },
  })
  const ending = await heard.ended
  if (streamed.state === 'stopped') return [streamed.id]
  // Known on disk before the last message is sent: a process that starts after a crash then ends this very stream.
  await kept
  const earlier = streamed.state === 'closed' ? [streamed.id] : []
  // What was streamed stays as it is, so its end trusts the same hosts.
  const hosts = streamed.said ? hostsOf(heard.sources) : undefined
  return finish(messagesOf(restOf(ending, streamed), line, hosts), { ...streamed, earlier }, line)
}

/** In groups and channels nothing can be streamed: typing, then the reply in one message. */
async function shared(line: Line): Promise<readonly string[]> {
  const ending = await typedUntilEnd(line)
  return finish(messagesOf(ending, line), { state: 'none', id: '', nextAt: 0, earlier: [] }, line)
}

async function typedUntilEnd({ heard, send, clock }: Line): Promise<Ending> {
  while (!heard.end) {
    await send({ type: 'typing' }).catch(() => '')
    await Promise.race([clock.wait(typingEveryMs), heard.ended])
  }
  return heard.ended
}

/** Goes on where a process broke off: the messages that it began are completed, so that nothing is said twice. */
async function takenUp(begun: readonly string[], line: Line): Promise<readonly string[]> {
  const messages = messagesOf(await typedUntilEnd(line), line)
  const ids: string[] = []
  for (const [nth, message] of messages.entries()) {
    const known = begun[nth]
    // No stream was heard of by this process: only what says so is Stop.
    const how = { known: known ?? '', isStop: isStopped, before: ids }
    ids.push(known ? ((await completed(message, how, line)) ?? known) : await begunAndCompleted(message, ids, line))
    await keepIds([...ids, ...begun.slice(ids.length)], line)
  }
  return ids
}

interface Completion {
  /** What is kept of the message that was begun. */
  readonly known: string
  readonly isStop: (refusal: Refusal) => boolean
  /** What is kept of the messages before it. */
  readonly before: readonly string[]
}

/**
 * Ends a stream with its last message. When Teams says that it is over, because this message has ended it before or because
 * two minutes have passed, the message is put into its place; where that can't be, it is sent by itself. Undefined after Stop.
 */
async function completed(
  message: Outgoing,
  { known, isStop, before }: Completion,
  line: Line,
): Promise<string | undefined> {
  const id = idOf(known)
  if (id === known) {
    try {
      await line.persist(final(message, id))
      return id
    } catch (error) {
      if (isStop(refusalOf(error))) return undefined
    }
  }
  return line.change(id, message).then(
    () => known,
    () => alone(message, before, line),
  )
}

/**
 * Says a message of which nothing stands there. It is begun first and completed when its id is on disk, so that no crash makes it
 * come twice: Teams tells the id of a message only once it has taken it.
 */
async function begunAndCompleted(message: Outgoing, before: readonly string[], line: Line): Promise<string> {
  const isPersonal = line.address.kind === 'personal'
  const id = isPersonal ? await line.send(opening(message)).catch(() => '') : ''
  if (!id) return alone(message, before, line)
  await keepIds([...before, id], line)
  await line.clock.wait(firstPauseMs)
  return (await completed(message, { known: id, isStop: isStopped, before }, line)) ?? id
}

/**
 * A message without a stream: in a group, and where Teams takes none. It is a line at first, and edited into the message when its
 * id is on disk. Where it can't be edited it is sent by itself.
 */
async function alone(message: Outgoing, before: readonly string[], line: Line): Promise<string> {
  const id = await line.persist(plainMessage(oneMoment))
  await keepIds([...before, edited + id], line)
  return line.change(id, message).then(
    () => edited + id,
    async () => edited + (await line.persist(message)),
  )
}

async function keepIds(ids: readonly string[], { keep, event, log }: Line): Promise<void> {
  await keep(event, ids).catch((error: unknown) => log.warn('teams.begun.unkept', loggable(error)))
}

/** The ending without what people can read already. */
function restOf(ending: Ending, { state, said }: Streamed): Ending {
  if (ending.kind === 'duel' || ending.kind === 'later' || !said) return ending
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
function messagesOf(
  ending: Ending,
  { look, address }: Pick<Line, 'look' | 'address'>,
  hosts?: Hosts,
): readonly Outgoing[] {
  switch (ending.kind) {
    case 'done':
      return replyMessages(ending.reply, look, { address, hosts: hosts ?? hostsOf(ending.reply.sources) })
    case 'duel':
      return [duelMessage(ending, look)]
    case 'error':
      return [plainMessage(ending.message, hosts)]
    case 'later':
      return []
  }
}

function duelMessage({ duel, left, right }: Extract<Ending, { kind: 'duel' }>, look: Look): Outgoing {
  const message = cardMessage(duelCard(duel, left, right), 'Two answers: which one is better?')
  return { ...message, entities: [aiEntity([], look)] }
}

function replyMessages(
  reply: Reply,
  look: Look,
  { address: { kind, person }, hosts }: { readonly address: Address; readonly hosts: Hosts },
): readonly Outgoing[] {
  const parts = splitText(reply.text, longestText)
  const last = parts.pop() ?? reply.text
  // Suggestions exist in personal chats only.
  const asker = kind === 'personal' ? person : undefined
  const earlier = parts.map((part) => madeMessage({ ...reply, text: part }, look, hosts))
  const message = replyMessage({ ...reply, text: last }, look, { person: asker, hosts })
  const why = reply.explanation ? { attachments: [attachment(whyCard(reply.explanation, hosts))] } : {}
  return [...earlier, { ...message, ...why }]
}

/** What is there already of a reply. */
type Before = Pick<Streamed, 'state' | 'id' | 'nextAt'> & { readonly earlier: readonly string[] }

/** Sends the messages; the first one ends the stream, if one is open. Resolves with the ids of all. */
async function finish(messages: readonly Outgoing[], before: Before, line: Line): Promise<readonly string[]> {
  const { clock } = line
  const isStop = (refusal: Refusal): boolean => meaningOf(refusal, true) === 'stopped'
  const ids = [...before.earlier]
  let { nextAt } = before
  let open = before.state === 'open'
  for (const [nth, message] of messages.entries()) {
    await clock.wait(Math.max(0, nextAt - clock.now()))
    const id = open
      ? await completed(message, { known: before.id, isStop, before: ids }, line)
      : await begunAndCompleted(message, ids, line)
    if (id === undefined) return [...ids, before.id]
    ids.push(id)
    if (nth < messages.length - 1) await keepIds(ids, line)
    open = false
    nextAt = clock.now() + firstPauseMs
  }
  return ids
}
