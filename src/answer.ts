import { randomInt } from 'node:crypto'
import { HoneError } from './errors.ts'
import { inParts, shownWhole, soFar } from './explanation.ts'
import { newId } from './id.ts'
import type { Logger } from './log.ts'
import { outputOf } from './output.ts'
import type { Inbound, Reply, ReplyEvent, Source } from './ports/channel.ts'
import type { ChatMessage, Engine, GenerateOptions, Usage } from './ports/engine.ts'
import type { BotTurn, Explanation, NewBotTurn, Store, ToldExample, ToolCall, UserTurn } from './ports/store.ts'
import { cited } from './prompt/compile.ts'
import type { Profile } from './prompt/profile.ts'
import type { Values } from './prompt/variables.ts'

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
export interface Question {
  readonly event: Inbound
  /** The person's turn, when it is to be kept with the answer: until then the inbox has it. */
  readonly asked?: UserTurn
  readonly parent: string
  readonly prompt: readonly ChatMessage[]
  readonly sources: readonly Source[]
  readonly sampling: Pick<GenerateOptions, 'temperature' | 'topP' | 'maxTokens'>
  /** Version of the profile that shaped the prompt. */
  readonly profile: string
  readonly variables: Values
  readonly examples: readonly ToldExample[]
  /** What the answer is to be read into. */
  readonly output: Profile['output']
  /** Tools that were called for it. */
  readonly tools: readonly ToolCall[]
  /** How the answer is explained, and who sees it; absent where the profile wants no explanations. */
  readonly explanation?: Pick<Explanation, 'style' | 'show'>
}

interface AnswerParts {
  readonly store: Store
  readonly log: Logger
  /** The other engine of a comparison that is on: a duel is between the two. */
  readonly rival?: Engine | undefined
}

/**
 * Generates the reply to a question (two for a duel) and keeps it before `done` is told. A reply that a program acts on,
 * because of its variables or its tools, is never doubled.
 */
export async function answer(
  question: Question,
  engine: Engine,
  { store, log, rival }: AnswerParts,
  listener: Listener,
): Promise<readonly BotTurn[]> {
  const { tools, output } = question
  const keep = (turns: readonly NewBotTurn[]) => keepAndTell(turns, question, store, listener.emit)
  if (!listener.duel || tools.length > 0 || Object.keys(output).length > 0) {
    const turn = await generate(question, engine, listener.signal, (text) => listener.emit({ kind: 'delta', text }))
    const read = await outputOf({ ...question, reply: turn.explanation?.said ?? turn.text }, engine, {
      signal: listener.signal,
      log,
    })
    if (listener.signal.reason instanceof ShuttingDown) throw listener.signal.reason
    return keep([{ ...turn, ...(read ? { output: read } : {}) }])
  }
  listener.emit({ kind: 'status', text: 'Writing two answers to choose from' })
  const usual = await generate(question, engine, listener.signal)
  // Two versions answer under the same conditions; one version has to be made to say something else.
  const other = rival
    ? await generate(question, rival, listener.signal)
    : await generate({ ...question, sampling: another(question.sampling) }, engine, listener.signal)
  if (usual.text === other.text) return keep([usual])
  // Nobody may learn to prefer a side.
  const [left, right] = randomInt(2) === 0 ? [usual, other] : [other, usual]
  const duel = `${left.id}.${right.id}`
  return keep([
    { ...left, duel },
    { ...right, duel },
  ])
}

/** Keeps and tells a reply that Hone itself makes: what is asked before a tool changes something. */
export async function say(
  text: string,
  question: Question,
  engine: Engine,
  { store }: AnswerParts,
  { emit }: Listener,
): Promise<readonly BotTurn[]> {
  const turn = { ...turnOf(question, engine), text, usage: { prompt: 0, evaluated: 0, completion: 0 } }
  return keepAndTell([turn], question, store, emit)
}

async function keepAndTell(
  turns: readonly NewBotTurn[],
  { event, asked }: Question,
  store: Store,
  emit: Listener['emit'],
): Promise<readonly BotTurn[]> {
  const kept = await store.turns.appendBot(turns, event.id, asked)
  if (kept.length === 0) throw new HoneError('STORE', 'The reply was not kept.')
  tell(kept, emit)
  return kept
}

/** Sampled more freely: a second answer that is the first one again helps nobody. */
export function another(sampling: Question['sampling']): Question['sampling'] {
  return { ...sampling, temperature: Math.max(sampling.temperature ?? 0, 0.9) }
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
  const { event, prompt, sampling, explanation } = question
  let said = ''
  let shown = 0
  let usage: Usage = { prompt: 0, evaluated: 0, completion: 0 }
  const options = { ...sampling, signal, cacheKey: event.thread, seed: randomInt(2 ** 31) }
  for await (const delta of engine.generate(prompt, options)) {
    if (delta.kind === 'end') {
      usage = delta.usage
      continue
    }
    said += delta.text
    const sure = explanation ? soFar(said, explanation.show === 'shown') : said
    if (sure.length > shown) onText(sure.slice(shown))
    shown = Math.max(shown, sure.length)
  }
  if (signal.reason instanceof ShuttingDown) throw signal.reason
  if (!said.trim() && !signal.aborted) throw new HoneError('ENGINE_FAILED', 'The model said nothing.')
  const whole = said.trim() || '(stopped)'
  return { ...turnOf(question, engine), ...partsOf(whole, explanation), usage }
}

/** What a reply says, and why, where it was asked for. */
function partsOf(said: string, asked: Question['explanation']): Pick<NewBotTurn, 'text' | 'explanation'> {
  if (!asked) return { text: said }
  const { answer, explanation: text } = inParts(said)
  return { text: answer, ...(text ? { explanation: { ...asked, text, said } } : {}) }
}

/** The turn that answers a question, but for what it says. */
export function turnOf(question: Question, engine: Engine): Omit<NewBotTurn, 'text' | 'usage'> {
  const { event, parent, prompt, sources, profile, variables, examples, tools } = question
  const { tenant, channel, thread } = event
  return {
    ...{ id: newId('b'), role: 'assistant', parent, tenant, channel, thread, at: new Date() },
    ...{ version: engine.version.id, profile, prompt, sources },
    ...(Object.keys(variables).length > 0 ? { variables } : {}),
    ...(examples.length > 0 ? { examples } : {}),
    ...(tools.length > 0 ? { tools } : {}),
  }
}

/** What a person sees of a bot turn: only the sources that are cited. */
export function replyOf({ id, text: answer, sources, version, explanation }: BotTurn): Reply {
  const text = explanation?.show === 'shown' ? shownWhole(explanation.said) : answer
  const folded = explanation?.show === 'folded' ? explanation.text : undefined
  const seen = folded ? `${text}\n${folded}` : text
  return { turn: id, text, sources: cited(seen, sources), version, ...(folded ? { explanation: folded } : {}) }
}
