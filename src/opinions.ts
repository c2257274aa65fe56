import { HoneError } from './errors.ts'
import { newId } from './id.ts'
import type { FeedbackEvent, Why } from './ports/bot.ts'
import type { TurnId } from './ports/channel.ts'
import type { Learning, PairTrace } from './ports/learning.ts'
import type { BotTurn, Store } from './ports/store.ts'

const longestCorrection = 20_000
const longestReason = 2000

/**
 * Keeps a vote, a correction or the outcome of a duel. On disk once it resolves.
 *
 * @throws HoneError FEEDBACK for a reply that this tenant does not have; INPUT for an empty or endless correction.
 */
export async function keepFeedback(event: FeedbackEvent, store: Store): Promise<void> {
  const at = new Date()
  const person = event.person.id
  if (event.kind === 'duel') {
    const [left = '', right = ''] = event.duel.split('.')
    await ownTurn(left, event.tenant, store)
    await ownTurn(right, event.tenant, store)
    return store.feedback.duel({ id: event.duel, left, right, person, outcome: event.outcome, at })
  }
  const { id: turn } = await ownTurn(event.turn, event.tenant, store)
  if (event.kind === 'correction') {
    const text = checkCorrection(event.text)
    const { corrections } = await store.feedback.ofTurn(turn)
    // Sent once more because the first answer was lost: it says nothing new.
    if (corrections.findLast((one) => one.person === person)?.text === text) return
    return store.feedback.correct({ id: newId('c'), turn, person, text, at })
  }
  const reason = event.reason?.trim().slice(0, longestReason)
  return store.feedback.vote({ turn, person, verdict: event.verdict, at, ...(reason ? { reason } : {}) })
}

/** A bot turn of this tenant; of other tenants' turns not even the existence is told. */
async function ownTurn(id: TurnId, tenant: string, store: Store): Promise<BotTurn> {
  const turn = await store.turns.get(id)
  if (turn?.role !== 'assistant' || turn.tenant !== tenant)
    throw new HoneError('FEEDBACK', 'That reply is not known here.')
  return turn
}

function checkCorrection(text: string): string {
  const trimmed = text.trim()
  if (!trimmed) throw new HoneError('INPUT', 'The better answer is empty. Write what the reply should have said.')
  if (trimmed.length > longestCorrection)
    throw new HoneError('INPUT', `The better answer is longer than ${longestCorrection} characters.`)
  return trimmed
}

/** Why a reply says what it says: its prompt, sources, votes, and the votes behind its version. */
export async function explain(id: TurnId, store: Store, learning?: Learning): Promise<Why> {
  const turn = await store.turns.get(id)
  if (turn?.role !== 'assistant') throw new HoneError('NOT_FOUND', `There is no reply ${id}.`)
  const messages = await store.turns.prompt(turn.prompt)
  const promptText = messages.map(({ role, content }) => `${role}: ${content}`).join('\n\n')
  const { votes } = await store.feedback.ofTurn(id)
  const version = (await learning?.versions())?.find((known) => known.id === turn.version)
  return { turn, promptText, votes, pairs: version?.pairs ?? [] }
}

/** What one person said that made a pair. */
export interface SaidOf {
  readonly person: string
  readonly what: 'up' | 'down' | 'corrected' | 'preferred'
  readonly turn: TurnId
  readonly at: Date
  readonly reason?: string
}

/** What stands behind a pair of a version today: votes, the correction, duels. What was withdrawn since is not there. */
export async function saidBehind({ chosen, rejected, people }: PairTrace, store: Store): Promise<readonly SaidOf[]> {
  const [better, worse] = [await store.feedback.ofTurn(chosen), await store.feedback.ofTurn(rejected)]
  const votes = [
    ...better.votes.filter(({ verdict }) => verdict === 'up'),
    ...worse.votes.filter(({ verdict }) => verdict === 'down'),
  ]
  const duels = worse.duels.filter(
    ({ left, right, outcome }) => (outcome === 'left' && left === chosen) || (outcome === 'right' && right === chosen),
  )
  const said: readonly SaidOf[] = [
    ...votes.map(({ verdict, ...vote }) => ({ ...vote, what: verdict as 'up' | 'down' })),
    ...worse.corrections
      .filter(({ id }) => id === chosen)
      .map(({ person, turn, at }) => ({ person, turn, at, what: 'corrected' as const })),
    ...duels.map(({ person, at }) => ({ person, at, turn: chosen, what: 'preferred' as const })),
  ]
  return said.filter(({ person }) => people.includes(person))
}
