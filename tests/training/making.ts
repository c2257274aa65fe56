import type { ChatMessage } from '../../src/ports/engine.ts'
import type { BotTurn, Correction, Duel, Judged, Vote } from '../../src/ports/store.ts'

/** Builders of judged prompts, short enough that a test says only what it is about. */

export const at = new Date('2026-05-01T10:00:00Z')

export function asked(question: string): readonly ChatMessage[] {
  return [
    { role: 'system', content: 'You answer from the handbook.' },
    { role: 'user', content: `[1] Leave - Vacation\nEveryone gets 25 days.\n\n${question}` },
  ]
}

export interface Said {
  readonly id: string
  readonly text: string
  /** `up` or `down` by person; `{ anna: 'up' }`. */
  readonly votes?: Readonly<Record<string, Vote['verdict']>>
  /** Better text by person. */
  readonly corrections?: Readonly<Record<string, string>>
}

export function judged(replies: readonly Said[], more: Partial<Judged> = {}): Judged {
  const promptHash = more.promptHash ?? 'hash-of-prompt'
  return {
    tenant: 'web',
    channel: 'web',
    thread: 'web:t1',
    promptHash,
    prompt: asked('How many days of vacation do I get?'),
    replies: replies.map((reply) => ({
      turn: turnOf(reply, promptHash),
      votes: votesOf(reply),
      corrections: correctionsOf(reply),
    })),
    duels: [],
    ...more,
  }
}

export function duel(left: string, right: string, outcome: Duel['outcome'], person = 'web:anna'): Duel {
  return { id: `duel_${left}_${right}_${person}`, left, right, person, outcome, at }
}

function turnOf({ id, text }: Said, prompt: string): BotTurn {
  return {
    id,
    parent: 'turn_user',
    tenant: 'web',
    channel: 'web',
    thread: 'web:t1',
    text,
    at,
    role: 'assistant',
    version: 'v0',
    profile: 'profile-1',
    prompt,
    sources: [],
    usage: { prompt: 10, evaluated: 10, completion: 5 },
  }
}

function votesOf({ id, votes = {} }: Said): readonly Vote[] {
  return Object.entries(votes).map(([person, verdict]) => ({ turn: id, person, verdict, at }))
}

function correctionsOf({ id, corrections = {} }: Said): readonly Correction[] {
  return Object.entries(corrections).map(([person, text]) => ({
    id: `fix_${id}_${person}`,
    turn: id,
    person,
    text,
    at,
  }))
}
