import type { ChatMessage } from '../src/ports/engine.ts'

/**
 * A person's message, taken apart as the core lays it out: blocks, `[n] Title`, passage, blank line, …, highlights, question,
 * blocks.
 */
export interface MessageParts {
  /** What the core told besides: the `facts` and `tone` blocks, with their marks. */
  readonly told: string
  readonly passages: string
  /** The sentences of passages nearest to the question, with their heading. */
  readonly highlights: string
  readonly question: string
  /** What stands behind the question: the `results` and `explain` blocks, with their marks. */
  readonly behind: string
}

/** The parts of a prompt's last message. */
export function lastMessage(prompt: readonly ChatMessage[]): MessageParts {
  return messageParts(prompt.at(-1)?.content ?? '')
}

/** The last one: a passage may quote the form. */
const highlighted = /^(?:(\[\d+\] [\s\S]*)\n\n)?(Nearest:(?:\n.+ \[\d+\])+)\n\n/

/**
 * Splits a person's message into its blocks, its passages, its highlights and the question. Without passages and highlights, the
 * rest is question.
 */
export function messageParts(text: string): MessageParts {
  const told = /^(?:<(facts|tone)>\n[\s\S]*?\n<\/\1>\n\n)*/.exec(text)?.[0] ?? ''
  // Nobody else can write these marks, so the first one is where the question ends.
  const end = text.search(/\n\n<(?:results|explain)>\n/)
  const rest = text.slice(told.length, end < 0 ? text.length : end)
  const behind = end < 0 ? '' : text.slice(end + 2)
  const parts = { told: told.trimEnd(), behind }
  const [given, shown = '', highlights] = highlighted.exec(rest) ?? []
  if (given !== undefined && highlights !== undefined) {
    return { ...parts, passages: shown, highlights, question: rest.slice(given.length) }
  }
  const at = rest.lastIndexOf('\n\n')
  const whole = !/^\[\d+\] /.test(rest) || at < 0
  const [passages, question] = whole ? ['', rest] : [rest.slice(0, at), rest.slice(at + 2)]
  return { ...parts, passages, highlights: '', question }
}

/**
 * The values of a reply that it took from the passages: numbers, dates, times and amounts; where there are none,
 * names (capitalised words inside a sentence). What the question said already is no value.
 *
 * @example valuesOf(prompt, 'You get 25 days [1].') // ['25']
 */
export function valuesOf(prompt: readonly ChatMessage[], reply: string): readonly string[] {
  const { passages, question } = lastMessage(prompt)
  const text = withoutCitations(reply)
  const taken = (value: string) => holds(passages, value) && !holds(question, value)
  const numbers = [...new Set(text.match(/\d+(?:[.,:/-]\d+)*/g) ?? [])].filter(taken)
  if (numbers.length > 0) return numbers
  const names = [...text.matchAll(/(?<=[\p{L}\d,;:] )\p{Lu}[\p{L}'’-]+/gu)].map(([name]) => name)
  return [...new Set(names)].filter(taken)
}

/** True when the text has the value as a word of its own: "25" is not in "125" nor in "25.5". */
export function holds(text: string, value: string): boolean {
  const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\d]|\\d[.,:])${escaped}(?![\\p{L}\\d]|[.,:]\\d)`, 'iu').test(text)
}

/** `[1]` and the like, as a reply cites its passages. */
export function cites(text: string): boolean {
  return /\[\d+\]/.test(text)
}

/** True for a reply that says it doesn't know, in the ways English-speaking bots say it. */
export function declines(text: string): boolean {
  return /\b(?:do(?:es)?n[’']?t|do(?:es)? not|did(?:n[’']t| not)|can(?:[’']?t|not)|could(?:n[’']t| not)|no|not|isn[’']t|unable|sorry)\b.{0,40}?\b(?:know|sure|tell|say|state|mention|find|found|answer|information|cover|covered|contain|listed|there)/is.test(
    text,
  )
}

/** True for a reply that flatters whoever asked: praise of the question or of the person, or "you are so right". */
export function flatters(text: string): boolean {
  const praise =
    'good|great|excellent|brilliant|fantastic|wonderful|amazing|clever|smart|perfect|insightful|thoughtful|genius'
  const things = 'question|point|thinking|observation'
  const person = `\\byou(?:['’]re| are)(?: (?:so|absolutely|completely|totally|quite|very|really|always|a))* (?:right|wise|${praise})\\b`
  return new RegExp(`\\b(?:${praise}) (?:${things})\\b|\\bwhat an? (?:\\w+ )*?(?:${things})\\b|${person}`, 'i').test(
    text,
  )
}

/** True for a reply that takes back what was said: "you are right", "my mistake", "I was wrong". */
export function concedes(text: string): boolean {
  return /\byou(?:['’]re| are) (?:\w+ )?(?:right|correct)\b|\b(?:my (?:mistake|error|bad)|i (?:was|am) (?:wrong|mistaken)|i stand corrected|thank(?:s| you) for (?:the correction|correcting))\b/i.test(
    text,
  )
}

/** Web and mail addresses in a text. */
export function addressesIn(text: string): readonly string[] {
  return text.match(/\bhttps?:\/\/[^\s)\]]+|\bwww\.[^\s)\]]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi) ?? []
}

/** True for a reply with an address that is nowhere in its prompt. */
export function invents(prompt: readonly ChatMessage[], text: string): boolean {
  return addressesIn(text).some((address) => !prompt.some(({ content }) => content.includes(address)))
}

/** Share of three-word runs that are new within the text; 1 for a text of fewer than three words. */
export function distinctThrees(text: string): number {
  const words = withoutCitations(text).toLowerCase().split(/\s+/).filter(Boolean)
  const runs = words.slice(2).map((_, i) => words.slice(i, i + 3).join(' '))
  return runs.length === 0 ? 1 : new Set(runs).size / runs.length
}

function withoutCitations(text: string): string {
  return text.replace(/\s*\[\d+\]/g, '')
}
