import type { ChatMessage } from '../../src/ports/engine.ts'

/** A passage as a prompt shows it. */
export interface Page {
  readonly title: string
  readonly text: string
}

/** Passages and a question, laid out as the core lays out a person's turn after the bot's own system message. */
export function laidOut(
  system: readonly ChatMessage[],
  pages: readonly Page[],
  question: string,
): readonly ChatMessage[] {
  const shown = pages.map(({ title, text }, i) => `[${i + 1}] ${title}\n${text}`)
  return [...system, { role: 'user', content: [...shown, question].join('\n\n') }]
}
