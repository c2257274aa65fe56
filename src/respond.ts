import { another, answer, type Listener, type Question, ShuttingDown, say } from './answer.ts'
import { HoneError } from './errors.ts'
import { branch, exchangesOf, lastReply } from './history.ts'
import { newId } from './id.ts'
import type { Logger } from './log.ts'
import { outputRoom } from './output.ts'
import type { InboundMessage, InboundRetry } from './ports/channel.ts'
import type { ChatMessage, Engine, EngineSlot, TenantSlot } from './ports/engine.ts'
import type { Example, Examples } from './ports/examples.ts'
import type { Knowledge } from './ports/knowledge.ts'
import type { BotTurn, Store, ToolCall, Turn, UserTurn } from './ports/store.ts'
import { type Budget, type CompileInput, compile } from './prompt/compile.ts'
import { explains, explanationFor, type Profile, toneFor } from './prompt/profile.ts'
import type { Resolve } from './prompt/variables.ts'
import { slotOf } from './slot.ts'
import { toolRoom } from './tools/choose.ts'
import type { Offer, Toolbox } from './tools/toolbox.ts'
import { unansweredCalls } from './tools/unanswered.ts'
import { useTools, waitingFor } from './tools/use.ts'

const historyTurns = 12
const fewWords = 4
const examplesATurn = 2

export interface Parts {
  readonly store: Store
  readonly slot: EngineSlot
  /** What shapes replies at the moment; a reply keeps to the one it started with. */
  readonly profiles: { readonly serving: Profile }
  readonly knowledge?: Knowledge
  /** Judged replies as examples. */
  readonly examples?: Examples
  readonly resolve: Resolve
  readonly tools: Toolbox
  readonly log: Logger
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
    // A question that got no answer stands in its thread all the same, with what tools did for it.
    if (!(error instanceof ShuttingDown)) {
      const { id: turn } = await store.turns.appendUser(asked)
      const tools = (await store.calls.of(event.id)).map(({ name, state }) => `${name}: ${state}`)
      if (tools.length > 0) parts.log.warn('tool.unanswered', { turn, event: event.id, tools })
    }
    throw error
  }
}

async function respondTo(
  event: InboundMessage,
  { asked, earlier }: { readonly asked: UserTurn; readonly earlier: readonly Turn[] },
  parts: Parts,
  listener: Listener,
): Promise<readonly BotTurn[]> {
  const { store } = parts
  const profile = parts.profiles.serving
  const slot = await slotOf(parts.slot, event.tenant)
  listener.emit({ kind: 'status', text: 'Searching the documents' })
  const searching = retrieve({ event, earlier, profile }, parts, listener.signal)
  const judging = judgedLike(event, profile, { ...parts, slot }, listener.signal)
  const ran = unansweredCalls(event, earlier, profile, store)
  const [found, variables, examples, unanswered] = await Promise.all([
    searching,
    parts.resolve(profile, event),
    judging,
    ran,
  ])

  return slot.use(async (engine, rival) => {
    const before = await lastReply(earlier, profile, store)
    const style = explanationFor(profile, { ...event, person: event.person.id })
    const input = {
      profile,
      variables,
      tone: toneFor(profile, event.person.id, event.tenant),
      explanation: style,
      ...found,
      examples,
      question: event.text,
      exchanges: exchangesOf(earlier),
      ...(before ? { before } : {}),
    }
    const offers = parts.tools.offers(profile, event)
    const budget = budgetOf(engine, profile, offers)
    const task = {
      event,
      offers,
      most: profile.toolCalls,
      waiting: waitingFor(event, earlier),
      unanswered,
      compile: (results: readonly ToolCall[]) => compile({ ...input, results }, budget),
    }
    const { compiled, calls, question: confirm } = await useTools(task, engine, listener, parts)
    if (listener.signal.reason instanceof ShuttingDown) throw listener.signal.reason
    for (const source of compiled.fresh) listener.emit({ kind: 'source', source })
    const question: Question = {
      event,
      asked,
      parent: asked.id,
      prompt: compiled.messages,
      sources: compiled.sources,
      sampling: profile.sampling,
      profile: profile.version,
      variables: compiled.told,
      examples: compiled.examples,
      output: profile.output,
      tools: calls,
      ...explanationIn(profile, style),
    }
    return confirm === undefined
      ? answer(question, engine, { ...parts, rival }, listener)
      : say(confirm, question, engine, parts, listener)
  }, event.thread)
}

/** *Try again*: the same stored prompt, answered once more, becomes a sibling of the first reply. */
export async function retry(event: InboundRetry, parts: Parts, listener: Listener): Promise<readonly BotTurn[]> {
  const turn = await parts.store.turns.get(event.turn)
  if (turn?.role !== 'assistant' || turn.tenant !== event.tenant || !turn.parent) {
    throw new HoneError('NOT_FOUND', 'The reply to try again is not there any more.')
  }
  const { serving } = parts.profiles
  const { sampling, output } = serving
  const question: Question = {
    event,
    parent: turn.parent,
    prompt: await parts.store.turns.prompt(turn.prompt),
    sources: turn.sources,
    sampling: another(sampling),
    profile: turn.profile,
    variables: turn.variables ?? {},
    examples: turn.examples ?? [],
    output,
    tools: turn.tools?.filter(({ state }) => state !== 'waiting') ?? [],
    ...explanationIn(serving, turn.variables?.['explanation'] ?? 'off'),
  }
  const slot = await slotOf(parts.slot, event.tenant)
  return slot.use((engine) => answer(question, engine, parts, { ...listener, duel: false }), event.thread)
}

function userTurn(event: InboundMessage, last: Turn | undefined): UserTurn {
  const { tenant, channel, thread, text, person, id, at, scopes } = event
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
    scopes,
  }
}

/** Where nobody asked for an explanation and one comes all the same, it is kept and not shown. */
function explanationIn(profile: Profile, style: string): Pick<Question, 'explanation'> {
  const { show } = profile.explanation
  return explains(profile) || style !== 'off' ? { explanation: { style, show: style === 'off' ? 'hidden' : show } } : {}
}

function isOf(event: InboundMessage, turn: Turn): boolean {
  return turn.role === 'user' && turn.event === event.id
}

/**
 * A question of few words ("And in Riga?") is searched together with the one before it, and means three times as much to an embedder: of
 * 381 short questions about something else (33 sections a handbook) the table of words alone had the right section first for 92
 * instead of 52 %, of 206 that go on from the one before for 87 % both ways. It stands first: searches cut long queries.
 */
export async function retrieve(
  { event, earlier, profile }: { event: InboundMessage; earlier: readonly Turn[]; profile: Profile },
  { knowledge }: Pick<Parts, 'knowledge'>,
  signal: AbortSignal,
): Promise<Pick<CompileInput, 'passages' | 'highlights'>> {
  const { passages: limit, cutoff, highlights: most } = profile
  if (!knowledge || limit === 0) return { passages: [], highlights: [] }
  const previous = earlier.findLast((turn) => turn.role === 'user')?.text ?? ''
  const short = event.text.trim().split(/\s+/).length <= fewWords
  const { text } = event
  const query = (short && previous ? [text, text, text, previous].join(' ') : text).slice(0, 2000)
  const { tenant, scopes } = event
  const found = await knowledge.search(query, { tenant, scopes, limit, signal })
  const passages = found.filter(({ score }) => score >= cutoff * (found[0]?.score ?? 0))
  const highlights = most > 0 ? await knowledge.highlight?.(query, passages, { most, signal }) : []
  return { passages, highlights: highlights ?? [] }
}

/** What was judged like this before, as far as the profile wants it. A reply without it is better than none. */
async function judgedLike(
  { text, tenant, person, scopes, thread }: InboundMessage,
  { learn: of }: Profile,
  { examples, slot, log }: Pick<Parts, 'examples' | 'log'> & { readonly slot: TenantSlot },
  signal: AbortSignal,
): Promise<readonly Example[]> {
  if (!examples || of === 'off') return []
  const version = (await slot.versionFor?.(thread)) ?? slot.version
  const query = { tenant, person: person.id, scopes, of, version: version.id, limit: examplesATurn, signal }
  return examples.near(text, query).catch((error: unknown) => {
    if (!signal.aborted) log.warn('examples.failed', { error })
    return []
  })
}

/** Engines that can't count are estimated at three characters a token. */
export function budgetOf(engine: Engine, profile: Profile, offers: readonly Offer[]): Budget {
  const estimate = async (messages: readonly ChatMessage[]): Promise<number> =>
    messages.reduce((sum, { content }) => sum + Math.ceil(content.length / 3) + 8, 0)
  const count = engine.countTokens?.bind(engine) ?? estimate
  const quarter = Math.floor(engine.contextTokens / 4)
  const reply = Math.min(profile.sampling.maxTokens, quarter) + Math.min(outputRoom(profile.output), quarter)
  const room = Math.max(reply, Math.min(toolRoom(offers), 2 * quarter))
  return { count, limit: engine.contextTokens - room }
}
