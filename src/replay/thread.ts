import { asHoneError, HoneError } from '../errors.ts'
import { inParts } from '../explanation.ts'
import { exchangesOf } from '../history.ts'
import { silent } from '../log.ts'
import type { InboundMessage } from '../ports/channel.ts'
import type { ChatMessage, Engine, EngineSlot } from '../ports/engine.ts'
import type { Example } from '../ports/examples.ts'
import type { Knowledge } from '../ports/knowledge.ts'
import type { ReplayedTurn, ReplaySide } from '../ports/replay.ts'
import type { BotTurn, Store, Turn, UserTurn } from '../ports/store.ts'
import { type Before, type Compiled, type CompileInput, compile } from '../prompt/compile.ts'
import { explains, explanationFor, type Profile, toneFor } from '../prompt/profile.ts'
import { createResolve } from '../prompt/variables.ts'
import { budgetOf, retrieve } from '../respond.ts'
import { slotOf } from '../slot.ts'
import { changesBetween, recite, sameSource, titlesIn, wordsIn } from './summary.ts'

export interface ThreadParts {
  readonly store: Pick<Store, 'turns' | 'feedback'>
  readonly slot: EngineSlot
  readonly knowledge?: Knowledge
  /** True for a reply that says it doesn't know. */
  readonly declines: (text: string) => boolean
}

/** A message and the reply to it on record. */
export interface Exchange {
  readonly asked: UserTurn
  readonly reply: BotTurn
  /** The thread before the message, oldest first. */
  readonly earlier: readonly Turn[]
}

/** The messages of a thread that a model answered. What Hone itself asked before a tool was used is no model's reply. */
export function exchangesIn(branch: readonly Turn[]): readonly Exchange[] {
  return branch.flatMap((asked, index) => {
    const reply = branch[index + 1]
    if (asked.role !== 'user' || reply?.role !== 'assistant') return []
    return [{ asked, reply, earlier: branch.slice(0, index) }]
  })
}

/** Whether a model wrote it. */
export function isModels({ reply }: Exchange): boolean {
  return !reply.tools?.some(({ state }) => state === 'waiting')
}

/**
 * Answers the messages of a thread anew, each as if the thread had gone so far as it did: what stands before a message
 * is what was said then, whatever the candidate would have said. So each pair differs by the profile alone.
 *
 * Values, tools' results and judged examples are those on record; passages are looked up anew, with what whoever asked
 * could see. Nothing is sampled, no tool is called, and nothing is kept.
 */
export async function* replayThread(
  exchanges: readonly Exchange[],
  { candidate, id, signal }: { readonly candidate: Profile; readonly id: string; readonly signal: AbortSignal },
  parts: ThreadParts,
): AsyncGenerator<ReplayedTurn> {
  let before: { readonly turn: string; readonly left: Before } | undefined
  for (const exchange of exchanges) {
    const { asked, reply, earlier } = exchange
    // As in a thread that goes on: after a message without a reply, the prompt begins anew.
    const goesOn = before && earlier.at(-1)?.id === before.turn
    const given = { candidate, ...(goesOn && before ? { before: before.left } : {}) }
    try {
      const input = await inputOf(exchange, given, signal, parts)
      const slot = await slotOf(parts.slot, asked.tenant)
      const made = await slot.use(async (engine) => {
        const compiled = await compile(input, budgetOf(engine, candidate, []))
        const options = { candidate, signal, cacheKey: `replay:${id}:${asked.thread}` }
        return { compiled, ...(isModels(exchange) ? { said: await say(compiled, engine, options) } : {}) }
      })
      before = { turn: reply.id, left: leftBy(made.compiled, exchange, candidate) }
      if (signal.aborted) return
      if (made.said) yield await pairOf(exchange, { fresh: sideOf(made.said, made.compiled, parts), input }, parts)
    } catch (error) {
      if (signal.aborted) return
      before = undefined
      const { message } = asHoneError(error, 'ENGINE_FAILED', 'The candidate could not answer')
      if (isModels(exchange)) yield await pairOf(exchange, { why: message }, parts)
    }
  }
}

async function inputOf(
  { asked, reply, earlier }: Exchange,
  { candidate, before }: { readonly candidate: Profile; readonly before?: Before },
  signal: AbortSignal,
  parts: ThreadParts,
): Promise<CompileInput> {
  const { person, tenant, channel, thread, text, at, scopes = [] } = asked
  const names = { 'person.name': 'someone', ...reply.variables }
  const who = { id: person, name: names['person.name'] }
  const event: InboundMessage = {
    kind: 'message',
    id: asked.event,
    channel,
    tenant,
    thread,
    text,
    at,
    scopes,
    person: who,
  }
  const recorded = Object.keys(candidate.variables).map((name) => [name, () => reply.variables?.[name]] as const)
  const resolve = createResolve({ resolvers: Object.fromEntries(recorded), log: silent })
  return {
    profile: candidate,
    variables: await resolve(candidate, event),
    tone: toneFor(candidate, person, tenant),
    explanation: explanationFor(candidate, { person, tenant, text }),
    ...(await retrieve({ event, earlier, profile: candidate }, parts, signal)),
    examples: await examplesOf({ asked, reply, earlier }, candidate, parts),
    question: text,
    results: reply.tools?.filter(({ name }) => Object.hasOwn(candidate.tools, name)) ?? [],
    exchanges: exchangesOf(earlier),
    ...(before ? { before } : {}),
  }
}

/** The judged examples that this message was told, the nearest first. */
async function examplesOf(
  { asked, reply, earlier }: Exchange,
  { learn }: Profile,
  { store }: ThreadParts,
): Promise<readonly Example[]> {
  const last = earlier.at(-1)
  const had = last?.role === 'assistant' ? (last.examples ?? []) : []
  const allowed = ({ people }: { readonly people: readonly string[] }) =>
    learn === 'tenant' || (learn === 'own' && people.every((person) => person === asked.person))
  const told = (reply.examples ?? []).filter((one) => allowed(one) && !had.some(({ id }) => id === one.id))
  if (told.length === 0) return []
  const prompt = await store.turns.prompt(reply.prompt)
  const textAt = (at: number) => prompt[at]?.content ?? ''
  const examples = told.map(({ at, ...one }) => ({ ...one, question: textAt(at), answer: textAt(at + 1) }))
  return examples.toReversed()
}

interface Said {
  readonly text: string
  readonly version: string
  readonly profile: string
  readonly seconds: number
}

/** At temperature 0: another reply by chance alone would look like a change. */
async function say(
  { messages }: Compiled,
  engine: Engine,
  { candidate, ...options }: { readonly candidate: Profile; readonly signal: AbortSignal; readonly cacheKey: string },
): Promise<Said> {
  const started = performance.now()
  const text = await generated(messages, engine, { ...candidate.sampling, ...options, temperature: 0, seed: 1 })
  const seconds = (performance.now() - started) / 1000
  if (!text.trim() && !options.signal.aborted) throw new HoneError('ENGINE_FAILED', 'The model said nothing.')
  // Of old replies too, what is compared is the answer.
  const answer = explains(candidate) ? inParts(text).answer : text.trim()
  return { text: answer, version: engine.version.id, profile: candidate.version, seconds }
}

async function generated(
  prompt: readonly ChatMessage[],
  engine: Engine,
  options: Parameters<Engine['generate']>[1],
): Promise<string> {
  let text = ''
  for await (const delta of engine.generate(prompt, options)) if (delta.kind === 'text') text += delta.text
  return text
}

function sideOf({ text, ...said }: Said, { sources }: Compiled, { declines }: ThreadParts): ReplaySide {
  return { ...said, text, cites: titlesIn(text, sources), declines: declines(text), words: wordsIn(text) }
}

/** What a message leaves for the next one: the candidate's prompt, and what was said then. */
function leftBy({ messages, sources, told, examples }: Compiled, { reply }: Exchange, candidate: Profile): Before {
  const said = (explains(candidate) && reply.explanation?.said) || reply.text
  return { prompt: messages, reply: recite(said, reply.sources, sources), sources, told, examples }
}

async function pairOf(
  { asked, reply }: Exchange,
  { fresh, input, why }: { readonly fresh?: ReplaySide; readonly input?: CompileInput; readonly why?: string },
  { store, declines }: ThreadParts,
): Promise<ReplayedTurn> {
  const { text, version, profile, sources } = reply
  const { votes, corrections } = await store.feedback.ofTurn(reply.id)
  const count = (wanted: string) => votes.filter(({ verdict }) => verdict === wanted).length
  const seconds = (reply.at.getTime() - asked.at.getTime()) / 1000
  const read = { cites: titlesIn(text, sources), declines: declines(text), words: wordsIn(text) }
  const old = { text, version, profile, ...read, seconds }
  const known = (passage: CompileInput['passages'][number]) => sources.some((one) => sameSource(one, passage))
  return {
    thread: asked.thread,
    channel: asked.channel,
    question: asked.text,
    askedAt: asked.at,
    turn: reply.id,
    old,
    said: { up: count('up'), down: count('down'), corrections: corrections.map((better) => better.text) },
    ...(fresh ? { fresh } : {}),
    ...(why === undefined ? {} : { why }),
    changes: fresh ? changesBetween(old, fresh) : [],
    otherPassages: input?.passages.some((passage) => !known(passage)) ?? false,
  }
}
