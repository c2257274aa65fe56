import type { ChatMessage } from '../../src/ports/engine.ts'
import type { Pair, Unpaired } from '../../training/pairs.ts'
import { asked, at } from './making.ts'

/** One pair; what a test doesn't name is unremarkable and different for each number. */
export function pairRow(number: number, more: Partial<Pair> = {}): Pair {
  return {
    id: `pair_${number}`,
    promptHash: `prompt-${number}`,
    prompt: asked(`Question ${number}?`),
    chosen: `Answer ${number}: 25 days [1].`,
    rejected: `I don't know anything about ${number}.`,
    origin: 'votes',
    chosenTurn: `good-${number}`,
    rejectedTurn: `bad-${number}`,
    people: ['web:anna'],
    tenant: 'web',
    channel: 'web',
    thread: `web:t${number}`,
    profile: 'profile-1',
    at: new Date(at.getTime() + number * 1000),
    ...more,
  }
}

export function pairRows(count: number, more: (number: number) => Partial<Pair> = () => ({})): readonly Pair[] {
  return Array.from({ length: count }, (_, number) => pairRow(number, more(number)))
}

export function loneRow(number: number, more: Partial<Unpaired> = {}): Unpaired {
  const { promptHash, prompt, people, tenant, channel, thread, profile, at: when } = pairRow(number)
  const text = `Alone ${number}`
  const traced = { promptHash, prompt, people, tenant, channel, thread, profile, at: when }
  return {
    ...traced,
    id: `one_${number}`,
    turn: `turn-${number}`,
    version: 'v0',
    text,
    liked: number % 2 === 0,
    ...more,
  }
}

export const user = (content: string): readonly ChatMessage[] => [{ role: 'user', content }]
