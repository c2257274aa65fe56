import type { Judged } from '../src/ports/store.ts'
import { sha256 } from './hash.ts'
import { normalised } from './similar.ts'

/** One thing that one person said of one reply or of two. */
export interface Judgement {
  readonly person: string
  readonly at: Date
  /** What was judged: the same texts under the same prompt are the same, in whatever thread. */
  readonly about: string
  /** What was said of it; absent where only that something was said counts. */
  readonly verdict?: string
}

/** How much a person's word weighs: 1, or {@link newcomerWeight}. */
export type Standing = (person: string) => number

/** What the word of somebody new weighs beside that of people who have been here for longer. */
export const newcomerWeight = 0.3
/** Nobody is new any more after this many judgements over this long a time. */
const judgementsToStay = 5
const daysToStay = 7
const dayMs = 86_400_000

/** Everybody's word weighs the same. */
export const equal: Standing = () => 1

/** What people said of one judged prompt, each judgement once. */
export function judgementsOf(judged: Judged): readonly Judgement[] {
  const texts = new Map(judged.replies.map(({ turn }) => [turn.id, normalised(turn.text)]))
  const about = (...ids: readonly string[]) => sha256(judged.promptHash, ...ids.map((id) => texts.get(id) ?? '').sort())
  const said = judged.replies.flatMap(({ turn, votes, corrections }): readonly Judgement[] => [
    ...votes.map(({ person, at, verdict }) => ({ person, at, about: about(turn.id), verdict })),
    ...corrections.map(({ person, at, id }) => ({ person, at, about: id })),
  ])
  const duels = judged.duels.map(({ person, at, left, right, outcome }): Judgement => {
    const winner = { left, right, tie: '', 'both-bad': '' }[outcome]
    return { person, at, about: about(left, right), ...(winner ? { verdict: texts.get(winner) ?? '' } : {}) }
  })
  return [...said, ...duels]
}

/**
 * Who is new: fewer than five judgements, or the first of them less than a week before the newest on record. Where
 * everybody is new, nobody is. So an account made today can't outvote those who have been here; after a week it can.
 */
export function standingOf(judgements: Iterable<Judgement>): Standing {
  const known = new Map<string, { count: number; first: number }>()
  let newest = 0
  for (const { person, at } of judgements) {
    const time = at.getTime()
    const before = known.get(person)
    known.set(person, { count: (before?.count ?? 0) + 1, first: Math.min(before?.first ?? time, time) })
    newest = Math.max(newest, time)
  }
  const stays = ({ count, first }: { count: number; first: number }) =>
    count >= judgementsToStay && newest - first >= daysToStay * dayMs
  const established = new Set([...known].filter(([, record]) => stays(record)).map(([person]) => person))
  if (established.size === 0) return equal
  return (person) => (established.has(person) || person === 'import' ? 1 : newcomerWeight)
}

/** How often two judgements of the same thing say the same. */
export interface Agreement {
  /** Pairs of judgements of the same thing, by different people or by one person at two times. */
  readonly repeats: number
  /** Share of them that agree; absent where nothing was judged twice. */
  readonly share?: number
}

/** Agreement, measured on what was judged more than once. */
export function agreementOf(judgements: Iterable<Judgement>): Agreement {
  const verdicts = new Map<string, Map<string, number>>()
  for (const { about, verdict } of judgements) {
    if (verdict === undefined || verdict === 'none') continue
    const counts = verdicts.get(about) ?? new Map<string, number>()
    verdicts.set(about, counts.set(verdict, (counts.get(verdict) ?? 0) + 1))
  }
  const pairs = (n: number) => (n * (n - 1)) / 2
  let [repeats, agreeing] = [0, 0]
  for (const counts of verdicts.values()) {
    const each = [...counts.values()]
    repeats += pairs(each.reduce((sum, n) => sum + n, 0))
    agreeing += each.reduce((sum, n) => sum + pairs(n), 0)
  }
  return { repeats, ...(repeats > 0 ? { share: agreeing / repeats } : {}) }
}
