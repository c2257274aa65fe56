import { HoneError } from '../errors.ts'
import type { Source } from '../ports/channel.ts'
import type { ChatMessage } from '../ports/engine.ts'
import type { Passage } from '../ports/knowledge.ts'
import type { Profile } from './profile.ts'
import { fill } from './variables.ts'

/** What a thread's last bot turn leaves for the next prompt. */
export interface Before {
  readonly prompt: readonly ChatMessage[]
  readonly reply: string
  readonly sources: readonly Source[]
}
/** One earlier question and its answer, for a thread that has to be shortened. */
export interface Exchange {
  readonly question: string
  readonly answer: string
}

export interface CompileInput {
  readonly profile: Profile
  readonly variables: Readonly<Record<string, string>>
  readonly before?: Before
  /** Oldest first. */
  readonly exchanges: readonly Exchange[]
  readonly passages: readonly Passage[]
  readonly question: string
}

export interface Budget {
  /** Tokens of the rendered prompt. */
  readonly count: (messages: readonly ChatMessage[]) => Promise<number>
  /** What the prompt may take: the context window without room for the reply. */
  readonly limit: number
}

export interface Compiled {
  readonly messages: readonly ChatMessage[]
  /** Every passage the thread has been given, with the number it is cited by. */
  readonly sources: readonly Source[]
  /** Those given in this turn. */
  readonly fresh: readonly Source[]
}

/**
 * Compiles the prompt of one turn, append only: what an earlier turn sent stays as it was, token for token, and only
 * passages that the thread has not seen are added; so an engine evaluates nothing twice.
 *
 * When it does not fit the budget, the thread starts anew with the latest exchanges without their passages; then
 * exchanges give way, oldest first; then passages, worst first. A question that is itself too long is refused.
 *
 * @throws HoneError INPUT when not even the bare question fits.
 */
export async function compile(input: CompileInput, budget: Budget): Promise<Compiled> {
  const grown = input.before && append(input.before, input.passages, input.question)
  if (grown && (await budget.count(grown.messages)) <= budget.limit) return grown
  for (const candidate of shorter(input)) {
    if ((await budget.count(candidate.messages)) <= budget.limit) return candidate
  }
  throw new HoneError(
    'INPUT',
    `The message is too long for this model: it reads at most ${budget.limit} tokens at once.`,
  )
}

/** The thread so far, plus new passages and the question. */
function append(before: Before, passages: readonly Passage[], question: string): Compiled {
  const known = new Set(before.sources.map((source) => passageKey(source)))
  const fresh = number(
    passages.filter((passage) => !known.has(passageKey(passage))),
    before.sources.length,
  )
  const messages: ChatMessage[] = [
    ...before.prompt,
    { role: 'assistant', content: before.reply },
    { role: 'user', content: userText(fresh, question) },
  ]
  return { messages, sources: [...before.sources, ...fresh], fresh }
}

/** A fresh start, in ever shorter forms: fewer exchanges first, then fewer passages. */
function* shorter(input: CompileInput): Generator<Compiled> {
  const kept = input.exchanges.slice(-4)
  for (let from = 0; from <= kept.length; from++) yield startAnew(input, kept.slice(from), input.passages)
  for (let count = input.passages.length - 1; count >= 0; count--)
    yield startAnew(input, [], input.passages.slice(0, count))
}

function startAnew(input: CompileInput, exchanges: readonly Exchange[], passages: readonly Passage[]): Compiled {
  const sources = number(passages, 0)
  const messages = [
    ...opening(input.profile, input.variables),
    ...exchanges.flatMap(({ question, answer }) => asMessages(question, withoutCitations(answer))),
    { role: 'user' as const, content: userText(sources, input.question) },
  ]
  return { messages, sources, fresh: sources }
}

/** The system message (persona, hidden prompts) and the profile's examples. */
function opening({ persona, hidden, examples }: Profile, values: Readonly<Record<string, string>>): ChatMessage[] {
  const system = fill([persona, ...hidden].filter(Boolean).join('\n'), values)
  return [
    ...(system ? [{ role: 'system' as const, content: system }] : []),
    ...examples.flatMap(({ question, answer }) => asMessages(fill(question, values), fill(answer, values))),
  ]
}

function asMessages(question: string, answer: string): ChatMessage[] {
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ]
}

/** `[1] Title`, the passage, a blank line, …, the question. */
function userText(sources: readonly Source[], question: string): string {
  return [...sources.map(({ number: n, title, text }) => `[${n}] ${title}\n${text}`), question].join('\n\n')
}

function number(passages: readonly Passage[], after: number): readonly Source[] {
  return passages.map(({ title, document, text, url }, index) => ({
    number: after + index + 1,
    title,
    document,
    text,
    ...(url === undefined ? {} : { url }),
  }))
}

function passageKey({ document, text }: { readonly document: string; readonly text: string }): string {
  return `${document}\n${text}`
}

/** Numbers of passages that are no longer in the prompt would point nowhere. */
function withoutCitations(text: string): string {
  return text.replace(/\s*\[\d+\]/g, '')
}

/** The sources a reply cites, in the order of their numbers. */
export function cited(text: string, sources: readonly Source[]): readonly Source[] {
  const numbers = new Set([...text.matchAll(/\[(\d+)\]/g)].map(([, digits]) => Number(digits)))
  return sources.filter((source) => numbers.has(source.number))
}
