import type { ChatMessage } from '../src/ports/engine.ts'
import type { Pair, Unpaired } from './pairs.ts'
import { nearlyIdentical, wordsOf } from './similar.ts'
import { messageParts } from './text.ts'

type Row = Pair | Unpaired

/**
 * Rows for which the opposite is on record too: people disagree, so nothing is learned from either. The texts need not
 * be equal to the letter, see {@link nearlyIdentical}.
 */
export function contradicted<R extends Row>(rows: readonly R[]): ReadonlySet<R> {
  const found = new Set<R>()
  for (const together of Map.groupBy(rows, asked).values()) {
    for (const row of together) if (together.some((other) => opposite(row, other))) found.add(row)
  }
  return found
}

/** Rows that say what an earlier one in the list says already, or nearly. */
export function repeated<R extends Row>(rows: readonly R[]): ReadonlySet<R> {
  const found = new Set<R>()
  for (const together of Map.groupBy(rows, asked).values()) {
    const kept: R[] = []
    for (const row of together) {
      if (kept.some((other) => same(row, other))) found.add(row)
      else kept.push(row)
    }
  }
  return found
}

/** What was asked, with which passages and facts: without case and marks, and whatever the order of the passages. */
function asked({ prompt }: Row): string {
  return JSON.stringify(prompt.filter(({ role }) => role === 'user').map(bare))
}

function bare({ content }: ChatMessage): readonly string[] {
  const { told, passages, question } = messageParts(content)
  const words = wordsOf(question.toLowerCase().replace(/[^\p{L}\p{N}\s]/gu, ' '))
  const texts = passages.split('\n\n').map((text) => text.replace(/^\[\d+\] /, ''))
  return [words.join(' '), told, ...texts.sort()]
}

function same(a: Row, b: Row): boolean {
  if ('chosen' in a && 'chosen' in b)
    return nearlyIdentical(a.chosen, b.chosen) && nearlyIdentical(a.rejected, b.rejected)
  return 'text' in a && 'text' in b && a.liked === b.liked && nearlyIdentical(a.text, b.text)
}

function opposite(a: Row, b: Row): boolean {
  if ('chosen' in a && 'chosen' in b)
    return nearlyIdentical(a.chosen, b.rejected) && nearlyIdentical(a.rejected, b.chosen)
  return 'text' in a && 'text' in b && a.liked !== b.liked && nearlyIdentical(a.text, b.text)
}
