import type { Store, Turn } from './ports/store.ts'
import type { Before, Exchange } from './prompt/compile.ts'
import { openingKey, type Profile, parseProfile } from './prompt/profile.ts'

/** The newest branch; where it ends in a duel, the side that was chosen. */
export async function branch(
  history: readonly Turn[],
  store: Pick<Store, 'feedback' | 'turns'>,
): Promise<readonly Turn[]> {
  const last = history.at(-1)
  if (last?.role !== 'assistant' || !last.duel) return history
  const { duels } = await store.feedback.ofTurn(last.id)
  const [leftId] = last.duel.split('.')
  if (duels.at(-1)?.outcome !== 'left' || !leftId) return history
  const left = await store.turns.get(leftId)
  return left ? [...history.slice(0, -1), left] : history
}

/**
 * What the thread's last reply leaves for the next prompt; nothing where a thread begins, or where the profile has changed
 * so much since that its prompt must begin anew.
 */
export async function lastReply(history: readonly Turn[], profile: Profile, store: Store): Promise<Before | undefined> {
  const last = history.at(-1)
  if (last?.role !== 'assistant' || !(await goesOn(last.profile, profile, store))) return undefined
  const prompt = await store.turns.prompt(last.prompt)
  const reply = last.explanation?.said ?? last.text
  return { prompt, reply, sources: last.sources, told: last.variables ?? {}, examples: last.examples ?? [] }
}

/** A thread's tokens stay in the cache unless what stands at its beginning has changed. */
async function goesOn(version: string, profile: Profile, { profiles }: Store): Promise<boolean> {
  if (version === profile.version) return true
  const kept = await profiles.get(version)
  try {
    return kept !== undefined && openingKey(parseProfile(kept.content, version)) === openingKey(profile)
  } catch {
    return false
  }
}

/** The questions that were answered, oldest first. */
export function exchangesOf(history: readonly Turn[]): readonly Exchange[] {
  return history.flatMap((turn, index) => {
    const next = history[index + 1]
    return turn.role === 'user' && next?.role === 'assistant' ? [{ question: turn.text, answer: next.text }] : []
  })
}
