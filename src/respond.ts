import { randomInt } from 'node:crypto'
import { HoneError } from './errors.ts'
import { newId } from './id.ts'
import type { Logger } from './log.ts'
import type { Inbound, InboundMessage, InboundRetry, Reply, ReplyEvent, Source } from './ports/channel.ts'
import type { ChatMessage, Engine, EngineSlot, GenerateOptions, Usage } from './ports/engine.ts'
import type { Knowledge, Passage } from './ports/knowledge.ts'
import type { BotTurn, NewBotTurn, Store, Turn, UserTurn } from './ports/store.ts'
import { type Before, type Budget, cited, compile, type Exchange } from './prompt/compile.ts'
import type { Profile } from './prompt/profile.ts'
import { type Resolvers, resolveVariables } from './prompt/variables.ts'

const historyTurns = 12
const fewWords = 4

export interface Parts {
  readonly store: Store
  readonly slot: EngineSlot
  readonly profile: Profile
  readonly knowledge?: Knowledge
  readonly resolvers: Resolvers
  readonly log: Logger
}

/** The reason of an abort that leaves the event in the inbox, to be answered after the next start. */
export class ShuttingDown extends Error {}

/** What was said while a reply is made, and what stops it. */
export interface Listener {
  readonly emit: (event: ReplyEvent) => void
  readonly signal: AbortSignal
  /** Show two replies to this message, blind, side by side. */
  readonly duel: boolean
}

/** A compiled prompt and where its answer belongs in the tree. */
interface Question {
  readonly event: Inbound
  /** The person's turn, when it is to be kept with the answer: until then the inbox has it. */
  readonly asked?: UserTurn
  readonly parent: string
  readonly prompt: readonly ChatMessage[]
  readonly sources: readonly Source[]
  readonly sampling: Pick<GenerateOptions, 'temperature' | 'topP' | 'maxTokens'>
  readonly profile: string
}

/**
 * One message in, one reply out (two for a duel), kept in the store before `done` is told.
 * Read it top to bottom; nothing else decides what the bot says.
 */
export async function respond(event: InboundMessage, parts: Parts, listener: Listener): Promise<readonly BotTurn[]> {
  const { store } = parts
  const history = await branch(await store.turns.history(event.thread, historyTurns), store)
  const earlier = history.filter((turn) => !isOf(event, turn))
  const asked = userTurn(event, earlier.at(-1))
  try {
    return await respondTo(event, { asked, earlier }, parts, listener)
  } catch (error) {
    // A question that got no answer stands in its thread all the same.
    if (!(error instanceof ShuttingDown)) await store.turns.appendUser(asked)
    throw error
  }
}

async function respondTo(
  event: InboundMessage,
  { asked, earlier }: { readonly asked: UserTurn; readonly earlier: readonly Turn[] },
  parts: Parts,
  listener: Listener,
): Promise<readonly BotTurn[]> {
  const { store, profile } = parts
  listener.emit({ kind: 'status', text: 'Searching the documents' })
  const passages = await retrieve(event, earlier, parts, listener.signal)
  const variables = await resolveVariables(profile, event, parts.resolvers, parts.log)

  return parts.slot.use(async (engine) => {
    const before = await lastReply(earlier, store)
    const input = {
      profile,
      variables,
      passages,
      question: event.text,
      exchanges: exchangesOf(earlier),
      ...(before ? { before } : {}),
    }
    const compiled = await compile(input, budgetOf(engine, profile))
    for (const source of compiled.fresh) listener.emit({ kind: 'source', source })
    const question: Question = {
      event,
      asked,
      parent: asked.id,
      prompt: compiled.messages,
      sources: compiled.sources,
      sampling: profile.sampling,
      profile: profile.version,
    }
    return answer(question, engine, parts, listener)
  })
}

/** *Try again*: the same stored prompt, answered once more, becomes a sibling of the first reply. */
export async function retry(event: InboundRetry, parts: Parts, listener: Listener): Promise<readonly BotTurn[]> {
  const turn = await parts.store.turns.get(event.turn)
  if (turn?.role !== 'assistant' || turn.tenant !== event.tenant || !turn.parent) {
    throw new HoneError('NOT_FOUND', 'The reply to try again is not there any more.')
  }
  const { temperature } = parts.profile.sampling
  const question: Question = {
    event,
    parent: turn.parent,
    prompt: await parts.store.turns.prompt(turn.prompt),
    sources: turn.sources,
    // A second answer that is the first one again helps nobody.
    sampling: { ...parts.profile.sampling, temperature: Math.max(temperature, 0.9) },
    profile: turn.profile,
  }
  return parts.slot.use((engine) => answer(question, engine, parts, { ...listener, duel: false }))
}

async function answer(
  question: Question,
  engine: Engine,
  { store }: Parts,
  listener: Listener,
): Promise<readonly BotTurn[]> {
  const { event, asked } = question
  if (!listener.duel) {
    const turn = await generate(question, engine, listener.signal, (text) => listener.emit({ kind: 'delta', text }))
    const kept = await store.turns.appendBot([turn], event.id, asked)
    listener.emit({ kind: 'done', reply: replyOf(kept[0] ?? missing()) })
    return kept
  }
  listener.emit({ kind: 'status', text: 'Writing two answers to choose from' })
  const left = await generate(question, engine, listener.signal)
  const right = await generate(question, engine, listener.signal)
  if (left.text === right.text) {
    const kept = await store.turns.appendBot([left], event.id, asked)
    listener.emit({ kind: 'done', reply: replyOf(kept[0] ?? missing()) })
    return kept
  }
  const duel = `${left.id}.${right.id}`
  const kept = await store.turns.appendBot(
    [
      { ...left, duel },
      { ...right, duel },
    ],
    event.id,
    asked,
  )
  tell(kept, listener.emit)
  return kept
}

/** Tells a channel of replies that are in the store: at the end of an answer, or again after a crash. */
export function tell(turns: readonly BotTurn[], emit: (event: ReplyEvent) => void): void {
  const [first, second] = turns
  if (!first) return
  if (second && first.duel) {
    emit({ kind: 'duel', duel: first.duel, left: replyOf(first), right: replyOf(second) })
  } else {
    emit({ kind: 'done', reply: replyOf(first) })
  }
}

async function generate(
  question: Question,
  engine: Engine,
  signal: AbortSignal,
  onText: (text: string) => void = () => {},
): Promise<NewBotTurn> {
  const { event, parent, prompt, sources, sampling, profile } = question
  let text = ''
  let usage: Usage = { prompt: 0, evaluated: 0, completion: 0 }
  const options = { ...sampling, signal, cacheKey: event.thread, seed: randomInt(2 ** 31) }
  for await (const delta of engine.generate(prompt, options)) {
    if (delta.kind === 'end') {
      usage = delta.usage
    } else {
      text += delta.text
      onText(delta.text)
    }
  }
  if (signal.reason instanceof ShuttingDown) throw signal.reason
  if (!text.trim() && !signal.aborted) throw new HoneError('ENGINE_FAILED', 'The model said nothing.')
  const { tenant, channel, thread } = event
  return {
    id: newId('b'),
    role: 'assistant',
    parent,
    tenant,
    channel,
    thread,
    text: text.trim() || '(stopped)',
    at: new Date(),
    version: engine.version.id,
    profile,
    prompt,
    sources,
    usage,
  }
}

/** What a person sees of a bot turn: only the sources that the text cites. */
export function replyOf(turn: BotTurn): Reply {
  return { turn: turn.id, text: turn.text, sources: cited(turn.text, turn.sources), version: turn.version }
}

function userTurn(event: InboundMessage, last: Turn | undefined): UserTurn {
  const { tenant, channel, thread, text, person, id, at } = event
  return {
    id: newId('u'),
    role: 'user',
    parent: last?.id ?? null,
    tenant,
    channel,
    thread,
    text,
    at,
    person: person.id,
    event: id,
  }
}

function isOf(event: InboundMessage, turn: Turn): boolean {
  return turn.role === 'user' && turn.event === event.id
}

/** The newest branch; where it ends in a duel, the side that was chosen. */
async function branch(history: readonly Turn[], store: Store): Promise<readonly Turn[]> {
  const last = history.at(-1)
  if (last?.role !== 'assistant' || !last.duel) return history
  const { duels } = await store.feedback.ofTurn(last.id)
  const [leftId] = last.duel.split('.')
  if (duels.at(-1)?.outcome !== 'left' || !leftId) return history
  const left = await store.turns.get(leftId)
  return left ? [...history.slice(0, -1), left] : history
}

async function lastReply(history: readonly Turn[], store: Store): Promise<Before | undefined> {
  const last = history.at(-1)
  if (last?.role !== 'assistant') return undefined
  return { prompt: await store.turns.prompt(last.prompt), reply: last.text, sources: last.sources }
}

function exchangesOf(history: readonly Turn[]): readonly Exchange[] {
  return history.flatMap((turn, index) => {
    const next = history[index + 1]
    return turn.role === 'user' && next?.role === 'assistant' ? [{ question: turn.text, answer: next.text }] : []
  })
}

/** A question of few words ("And in Riga?") is searched together with the one before it. */
async function retrieve(
  event: InboundMessage,
  earlier: readonly Turn[],
  { knowledge, profile }: Parts,
  signal: AbortSignal,
): Promise<readonly Passage[]> {
  if (!knowledge || profile.passages === 0) return []
  const previous = earlier.findLast((turn) => turn.role === 'user')?.text ?? ''
  const short = event.text.trim().split(/\s+/).length <= fewWords
  const query = short ? `${previous} ${event.text}` : event.text
  const { tenant, scopes } = event
  return knowledge.search(query.slice(-2000), { tenant, scopes, limit: profile.passages, signal })
}

/** Engines that can't count are estimated at three characters a token. */
function budgetOf(engine: Engine, profile: Profile): Budget {
  const estimate = async (messages: readonly ChatMessage[]): Promise<number> =>
    messages.reduce((sum, { content }) => sum + Math.ceil(content.length / 3) + 8, 0)
  const count = engine.countTokens?.bind(engine) ?? estimate
  const room = Math.min(profile.sampling.maxTokens, Math.floor(engine.contextTokens / 4))
  return { count, limit: engine.contextTokens - room }
}

function missing(): never {
  throw new HoneError('STORE', 'The reply was not kept.')
}
