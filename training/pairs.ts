import type { ChatMessage } from '../src/ports/engine.ts'
import type { PairTrace } from '../src/ports/learning.ts'
import type { BotTurn, Correction, Judged, Vote } from '../src/ports/store.ts'
import { sha256 } from './hash.ts'
import { equal, type Standing } from './raters.ts'
import { nearlyIdentical, normalised } from './similar.ts'

/** What every row derived from feedback can be traced by. */
interface Traced {
  readonly promptHash: string
  readonly prompt: readonly ChatMessage[]
  /** Who voted, corrected or decided the duel; sorted. */
  readonly people: readonly string[]
  /** Who asked the question, where the store still knows. */
  readonly asker?: string
  readonly tenant: string
  readonly channel: string
  readonly thread: string
  readonly profile: string
  /** When the last judgement behind it was made. */
  readonly at: Date
  /** The liked reply as the model wrote it, its explanation among it, under the prompt that asked for one. */
  readonly explained?: { readonly prompt: readonly ChatMessage[]; readonly completion: string }
}

/** Two texts for one prompt, of which people preferred one. Derived from judgements, never recorded by hand. */
export interface Pair extends Traced {
  /** Hash of prompt, chosen and rejected text: the same preference has the same id wherever it comes from. */
  readonly id: string
  readonly chosen: string
  readonly rejected: string
  readonly origin: PairTrace['origin']
  /** Turn id, or the correction's id. */
  readonly chosenTurn: string
  readonly rejectedTurn: string
}

/** A reply that was judged alone: for KTO, and to tell people what a second answer would make of it. */
export interface Unpaired extends Traced {
  readonly id: string
  readonly turn: string
  readonly version: string
  readonly text: string
  readonly liked: boolean
}

interface Side {
  readonly id: string
  readonly text: string
  readonly people: readonly string[]
  readonly at: Date
}

/**
 * Pairs of one judged prompt. A majority of thumbs decides a reply; a correction beats the reply it corrects and every
 * other disliked sibling; a duel's winner beats its loser. Ties, `both-bad`, lone thumbs and texts that say the same
 * make no pair. The texts stay exactly as people saw them. With `standing`, thumbs count as much as their person's word.
 *
 * @example pairsOf(judged).map(({ chosen, rejected }) => [chosen, rejected])
 */
export function pairsOf(judged: Judged, standing: Standing = equal): readonly Pair[] {
  const found = new Map<string, Pair>()
  const add = (origin: PairTrace['origin'], better: Side, worse: Side): void => {
    if (better.text.trim() === '' || worse.text.trim() === '' || nearlyIdentical(better.text, worse.text)) return
    const pair = asPair(judged, origin, { better, worse })
    if (!found.has(pair.id)) found.set(pair.id, pair)
  }
  for (const { edit, reply } of corrections(judged)) add('correction', edit, reply)
  for (const [winner, loser] of decidedDuels(judged)) add('duel', winner, loser)
  const disliked = decided(judged, 'down', standing)
  for (const liked of decided(judged, 'up', standing)) for (const worse of disliked) add('votes', liked, worse)
  for (const { edit } of corrections(judged)) for (const worse of disliked) add('correction', edit, worse)
  return [...found.values()]
}

/** What people said of the prompt that decides nothing, by why. */
export function undecidedOf(judged: Judged, standing: Standing = equal): Readonly<Record<string, number>> {
  const clear = new Set(
    (['up', 'down'] as const).flatMap((verdict) => decided(judged, verdict, standing).map(({ id }) => id)),
  )
  const voted = (votes: readonly Vote[]) => lastVotes(votes).some(({ verdict }) => verdict !== 'none')
  const even = judged.replies.filter(({ turn, votes }) => voted(votes) && !clear.has(turn.id))
  const open = judged.duels.filter(({ outcome }) => outcome === 'tie' || outcome === 'both-bad')
  return { 'thumbs are even': even.length, 'duel without a winner': open.length }
}

/** Replies with a clear majority of thumbs that are on neither side of a pair. */
export function unpairedOf(judged: Judged, standing: Standing = equal): readonly Unpaired[] {
  const used = new Set(pairsOf(judged, standing).flatMap(({ chosenTurn, rejectedTurn }) => [chosenTurn, rejectedTurn]))
  const versions = new Map(judged.replies.map(({ turn }) => [turn.id, turn.version]))
  const rows = (['up', 'down'] as const).flatMap((verdict) =>
    decided(judged, verdict, standing)
      .filter(({ id, text }) => !used.has(id) && text.trim() !== '')
      .map((side) => ({
        ...traceOf(judged, [side]),
        id: `one_${sha256(judged.promptHash, side.text, verdict).slice(0, 24)}`,
        turn: side.id,
        version: versions.get(side.id) ?? '',
        text: side.text,
        liked: verdict === 'up',
        ...(verdict === 'up' ? explainedIn(judged, side.id) : {}),
      })),
  )
  return rows
}

function asPair(judged: Judged, origin: PairTrace['origin'], sides: { better: Side; worse: Side }): Pair {
  const { better, worse } = sides
  return {
    ...traceOf(judged, [better, worse]),
    id: `pair_${sha256(judged.promptHash, normalised(better.text), normalised(worse.text)).slice(0, 24)}`,
    chosen: better.text,
    rejected: worse.text,
    origin: judged.channel === 'import' ? 'import' : origin,
    chosenTurn: better.id,
    rejectedTurn: worse.id,
    ...explainedIn(judged, better.id),
  }
}

function explainedIn({ replies, explaining: prompt }: Judged, id: string): Pick<Traced, 'explained'> {
  const { style, said: completion } = replies.find(({ turn }) => turn.id === id)?.turn.explanation ?? {}
  // One that nobody asked for teaches the wrong thing.
  return prompt && completion !== undefined && style !== 'off' ? { explained: { prompt, completion } } : {}
}

function traceOf(judged: Judged, sides: readonly Side[]): Traced {
  const times = sides.map(({ at }) => at.getTime())
  return {
    promptHash: judged.promptHash,
    prompt: judged.prompt,
    people: [...new Set(sides.flatMap(({ people }) => people))].sort(),
    tenant: judged.tenant,
    channel: judged.channel,
    thread: judged.thread,
    profile: judged.replies[0]?.turn.profile ?? '',
    at: new Date(Math.max(...times)),
  }
}

/** Sums of weights like 0.3 are not exact. */
const rounding = 1e-9

/** Replies whose last votes have a majority for the verdict, and the people of that majority. */
function decided(judged: Judged, verdict: 'up' | 'down', standing: Standing): readonly Side[] {
  const weight = (votes: readonly Vote[]) => votes.reduce((sum, { person }) => sum + standing(person), 0)
  return judged.replies.flatMap(({ turn, votes }) => {
    const last = lastVotes(votes)
    const ours = last.filter((vote) => vote.verdict === verdict)
    const theirs = last.filter((vote) => vote.verdict !== verdict && vote.verdict !== 'none')
    return weight(ours) - weight(theirs) > rounding ? [sideOf(turn, ours)] : []
  })
}

function sideOf(turn: BotTurn, votes: readonly Vote[]): Side {
  const times = votes.map(({ at }) => at.getTime())
  return {
    id: turn.id,
    text: turn.text,
    people: votes.map(({ person }) => person),
    at: times.length > 0 ? new Date(Math.max(...times)) : turn.at,
  }
}

/** The newest vote of each person. */
function lastVotes(votes: readonly Vote[]): readonly Vote[] {
  const byPerson = new Map<string, Vote>()
  for (const vote of votes) {
    const known = byPerson.get(vote.person)
    if (!known || known.at <= vote.at) byPerson.set(vote.person, vote)
  }
  return [...byPerson.values()]
}

/** The newest correction of each person, beside the reply it corrects. */
function corrections(judged: Judged): readonly { readonly edit: Side; readonly reply: Side }[] {
  return judged.replies.flatMap(({ turn, corrections: given }) => {
    const byPerson = new Map<string, Correction>()
    for (const correction of given) {
      const known = byPerson.get(correction.person)
      if (!known || known.at <= correction.at) byPerson.set(correction.person, correction)
    }
    return [...byPerson.values()].map(({ id, text, person, at }) => ({
      edit: { id, text, people: [person], at },
      reply: sideOf(turn, []),
    }))
  })
}

function decidedDuels(judged: Judged): readonly (readonly [Side, Side])[] {
  const turns = new Map(judged.replies.map(({ turn }) => [turn.id, turn]))
  return judged.duels.flatMap(({ left, right, person, outcome, at }) => {
    const [winner, loser] = outcome === 'left' ? [left, right] : [right, left]
    const better = turns.get(winner)
    const worse = turns.get(loser)
    if ((outcome !== 'left' && outcome !== 'right') || !better || !worse) return []
    const side = (turn: BotTurn): Side => ({ id: turn.id, text: turn.text, people: [person], at })
    return [[side(better), side(worse)] as const]
  })
}
