import type { Tally } from '../../src/ports/live.ts'

/** What people said of two versions that answered side by side: each person once a version, and once for the duels. */
export interface Verdicts {
  readonly canary: Tally
  readonly incumbent: Tally
  /** People who prefer the canary in duels, and who prefer the incumbent. */
  readonly duels: Tally
}

/** How often, at most, a canary that is as good as the incumbent is taken for a better or a worse one. */
export const alpha = 0.05
/** An e-value from which on the evidence decides (Ville's inequality: reached with probability `alpha` at most). */
export const decides = 1 / alpha

/** Shares of likers, and effects in log-odds, that the alternative is a mixture of. */
const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
const effects = [-2, -1, 1, 2]

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
const logs = (p: number): Tally => ({ up: Math.log(p), down: Math.log1p(-p) })

/** Each of these differences: what its likers and dislikers, and winners of duels, are in log-probability. */
const differences = shares.flatMap((share) =>
  effects.map((effect) => {
    const middle = Math.log(share / (1 - share))
    const [canary, incumbent] = [logistic(middle + effect / 2), logistic(middle - effect / 2)]
    return { canary: logs(canary), incumbent: logs(incumbent), duels: logs(logistic(effect)) }
  }),
)

/**
 * Evidence that the canary is better than the incumbent, and that it is worse, as e-values: how much likelier what people
 * said is under a mixture of differences than under the best explanation without one. Universal inference (L. Wasserman,
 * A. Ramdas, S. Balakrishnan, PNAS 117, 2020) for two Bernoulli streams and the duels between them: for each fixed rate
 * without a difference the mixture over its likelihood is a martingale that begins at 1, and the largest likelihood is at
 * least that one's. So by Ville's inequality either value reaches `decides` with probability `alpha` at most, whenever and
 * however often one looks, whatever share of people each version has. It depends on the counts alone, not on their order.
 *
 * @example evidence({ canary: { up: 30, down: 2 }, incumbent: { up: 60, down: 60 }, duels: { up: 0, down: 0 } }).better > decides
 */
export function evidence(verdicts: Verdicts): { readonly better: number; readonly worse: number } {
  const { canary, incumbent, duels } = verdicts
  const terms = differences.map(
    (one) => likelihood(canary, one.canary) + likelihood(incumbent, one.incumbent) + likelihood(duels, one.duels),
  )
  const top = Math.max(...terms)
  let sum = 0
  for (const term of terms) sum += Math.exp(term - top)
  const mixture = top + Math.log(sum / terms.length)
  const than = (notBetter: number) => Math.exp(mixture - notBetter)
  const turned = { canary: incumbent, incumbent: canary, duels: { up: duels.down, down: duels.up } }
  return { better: than(notBetter(verdicts)), worse: than(notBetter(turned)) }
}

/** Log-likelihood of the best explanation in which the canary is not better: no likelier liked, no likelier to win. */
function notBetter({ canary, incumbent, duels }: Verdicts): number {
  const ahead = canary.up * (incumbent.up + incumbent.down) > incumbent.up * (canary.up + canary.down)
  const both = { up: canary.up + incumbent.up, down: canary.down + incumbent.down }
  const thumbs = ahead ? best(both) : best(canary) + best(incumbent)
  return thumbs + (duels.up > duels.down ? likelihood(duels, logs(0.5)) : best(duels))
}

/** Log-likelihood of a tally under its own share. */
function best(tally: Tally): number {
  const n = tally.up + tally.down
  return likelihood(tally, logs(n === 0 ? 0.5 : tally.up / n))
}

function likelihood({ up, down }: Tally, log: Tally): number {
  // Never 0 times minus infinity.
  return (up > 0 ? up * log.up : 0) + (down > 0 ? down * log.down : 0)
}
