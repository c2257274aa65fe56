import type { Duel, DuelOutcome, Judged, Vote } from '../src/ports/store.ts'

const opposite: Readonly<Record<DuelOutcome, DuelOutcome>> = {
  left: 'right',
  right: 'left',
  tie: 'both-bad',
  'both-bad': 'tie',
}

/**
 * A share of all thumbs and duels, saying the opposite, as if people had pressed the wrong button. Better answers stay:
 * nobody writes one by mistake. Pure.
 *
 * @example flipped(judged, 0.1, seeded(1)).votes // about a tenth of them
 */
export function flipped(
  judged: readonly Judged[],
  share: number,
  random: () => number,
): { readonly votes: readonly Vote[]; readonly duels: readonly Duel[] } {
  const votes = judged.flatMap(({ replies }) => replies.flatMap((reply) => reply.votes))
  const duels = judged.flatMap((one) => one.duels)
  return {
    votes: votes
      .filter(() => random() < share)
      .map((vote) => ({ ...vote, verdict: vote.verdict === 'up' ? 'down' : 'up' })),
    duels: duels.filter(() => random() < share).map((duel) => ({ ...duel, outcome: opposite[duel.outcome] })),
  }
}
