import type { ChatMessage } from '../../src/ports/engine.ts'

/** A passage as a prompt shows it. */
export interface Page {
  readonly title: string
  readonly text: string
}

/** How a bot's prompts look. */
export interface Setting {
  /** What every prompt begins with. */
  readonly system: readonly ChatMessage[]
  /** Whether its prompts have highlights. */
  readonly highlights: boolean
}

/** Passages and a question, laid out as the core lays out a person's turn after the bot's own system message. */
export function laidOut(
  { system, highlights }: Setting,
  pages: readonly Page[],
  question: string,
): readonly ChatMessage[] {
  const shown = pages.map(({ title, text }, i) => `[${i + 1}] ${title}\n${text}`)
  const nearest = highlights ? nearestTo(question, pages) : []
  return [...system, { role: 'user', content: [...shown, ...nearest, question].join('\n\n') }]
}

/**
 * The sentence that shares the most words with a question, under the heading of highlights; none that shares fewer than two.
 * The questions of the suites use their passages' words, so this mostly is the one that an embedder would find.
 */
function nearestTo(question: string, pages: readonly Page[]): readonly string[] {
  const asked = wordsOf(question)
  const sentences = pages.flatMap(({ text }, i) =>
    text.split(/(?<=[.!?]) /).map((sentence) => [sentence, i + 1] as const),
  )
  const shared = sentences.map(([sentence]) => [...wordsOf(sentence)].filter((word) => asked.has(word)).length)
  const most = Math.max(0, ...shared)
  const [sentence, number] = sentences[shared.indexOf(most)] ?? []
  return most < 2 ? [] : [`Nearest:\n${sentence} [${number}]`]
}

function wordsOf(text: string): Set<string> {
  return new Set((text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).map((word) => word.slice(0, 5)))
}
