import type { DuelOutcome, Verdict } from '../../src/ports/store.ts'

/** What a person typed. */
export type Line =
  | { readonly kind: 'nothing' | 'again' | 'why' | 'stop' | 'help' | 'quit' }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'vote'; readonly verdict: Verdict; readonly reason?: string }
  | { readonly kind: 'better'; readonly text: string }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'unknown'; readonly word: string }

/** Longest message, in characters. */
export const messageLimit = 8000

/**
 * Reads one line. A line that begins with `//` is said with one slash.
 *
 * @example parseLine('/down too long') // { kind: 'vote', verdict: 'down', reason: 'too long' }
 */
export function parseLine(line: string): Line {
  const text = line.trim()
  if (text === '') return { kind: 'nothing' }
  if (text.startsWith('//')) return { kind: 'say', text: text.slice(1) }
  if (!text.startsWith('/')) return { kind: 'say', text }
  const [, word = '', rest = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? []
  switch (word) {
    case 'up':
      return { kind: 'vote', verdict: 'up' }
    case 'down':
      return { kind: 'vote', verdict: 'down', ...(rest ? { reason: rest } : {}) }
    case 'undo':
      return { kind: 'vote', verdict: 'none' }
    case 'better':
      return { kind: 'better', text: rest }
    case 'hone':
      return { kind: 'command', text: rest }
    case 'again':
    case 'why':
    case 'stop':
    case 'help':
    case 'quit':
      return { kind: word }
    case 'exit':
      return { kind: 'quit' }
    default:
      return { kind: 'unknown', word }
  }
}

const outcomes: Readonly<Record<string, DuelOutcome>> = { '1': 'left', '2': 'right', t: 'tie', b: 'both-bad' }

/** The answer to a duel, or null for anything else. */
export function parseOutcome(line: string): DuelOutcome | null {
  return outcomes[line.trim().toLowerCase()] ?? null
}
