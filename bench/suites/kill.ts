import { survive } from '../kill/survive.ts'
import { atMost, figure, type Result } from '../result.ts'

const kills = 50

/** `kill -9` at fifty moments of a conversation with retries, votes, corrections, duels and training runs. */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const seed = Date.now() % 1_000_000
  say(`${kills} kills, seed ${seed}`)
  const { lost, doubled, broken, ledger, atStart } = await survive(kills, seed, say)
  const { events, votes, corrections, duels, refused, toldAgain } = ledger
  const acknowledged = events.size + votes.size + corrections.size + duels.size
  return [
    atMost('kill.lost', lost.length, 0, 'events', { seed, lost }),
    atMost('kill.doubled', doubled.length, 0, 'events', doubled),
    atMost('kill.broken', broken.length, 0, 'things', broken),
    atMost('kill.refused', refused.length, 0, 'orders', refused),
    figure('kill.acknowledged', acknowledged, 'events', { events: events.size, votes: votes.size }),
    figure('kill.delivered-again', toldAgain, 'replies', 'killed between delivering and settling'),
    figure('kill.during-start', atStart, 'kills'),
  ]
}
