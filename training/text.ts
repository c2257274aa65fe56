import type { ChatMessage } from '../src/ports/engine.ts'

/** A person's message, taken apart as the core lays it out: `[n] Title`, passage, blank line, …, question. */
export interface MessageParts {
  readonly passages: string
  readonly question: string
}

/** The parts of a prompt's last message. */
export function lastMessage(prompt: readonly ChatMessage[]): MessageParts {
  return messageParts(prompt.at(-1)?.content ?? '')
}

/** Splits a person's message into its passages and the question. Without passages, all of it is question. */
export function messageParts(text: string): MessageParts {
  const at = text.lastIndexOf('\n\n')
  if (!/^\[\d+\] /.test(text) || at < 0) return { passages: '', question: text }
  return { passages: text.slice(0, at), question: text.slice(at + 2) }
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

/** Share of three-word runs that are new within the text; 1 for a text of fewer than three words. */
export function distinctThrees(text: string): number {
  const words = withoutCitations(text).toLowerCase().split(/\s+/).filter(Boolean)
  const runs = words.slice(2).map((_, i) => words.slice(i, i + 3).join(' '))
  return runs.length === 0 ? 1 : new Set(runs).size / runs.length
}

function withoutCitations(text: string): string {
  return text.replace(/\s*\[\d+\]/g, '')
}
