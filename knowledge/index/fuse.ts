/** A passage that one leg of the search found; higher is better within the leg. */
export interface Hit {
  readonly id: number
  readonly score: number
}

/** How the two legs are mixed. Measured on the corpus, see {@link chooseMix}. */
export interface Mix {
  /** Share of the dense leg, from 0 (off) to 1 (alone). */
  readonly dense: number
  /** Cosine below which the dense leg's find is taken for chance. */
  readonly floor: number
}

/** What serves until a corpus was measured: mostly words, a little meaning. */
export const unmeasured: Mix = { dense: 0.3, floor: 0 }

/**
 * Mixes two legs by a weighted sum of their scores, each divided by the leg's best one (Bruch, Gai and Ingber 2023,
 * "An analysis of fusion functions for hybrid retrieval": a convex combination beats rank fusion). A leg of weight 0
 * contributes nothing, not even candidates.
 */
export function fuse(lexical: readonly Hit[], dense: readonly Hit[], mix: Mix): readonly Hit[] {
  const scores = new Map<number, number>()
  const add = (hits: readonly Hit[], weight: number, low: number) => {
    const best = Math.max(...hits.map((hit) => hit.score), low)
    if (weight === 0 || best <= low) return
    for (const hit of hits) {
      if (hit.score < low) continue
      scores.set(hit.id, (scores.get(hit.id) ?? 0) + (weight * (hit.score - low)) / (best - low))
    }
  }
  add(lexical, 1 - mix.dense, 0)
  add(dense, mix.dense, mix.floor)
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || a.id - b.id)
}

/** What both legs found for a query whose right passages are known. */
export interface Observation {
  readonly right: readonly number[]
  readonly lexical: readonly Hit[]
  readonly dense: readonly Hit[]
}

/** A chosen mix, and how well it and each leg alone found the right passage (mean reciprocal rank, 0 to 1). */
export interface Measured extends Mix {
  readonly queries: number
  readonly mrr: { readonly lexical: number; readonly dense: number; readonly fused: number }
}

const grid = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

/**
 * Chooses the mix by mean reciprocal rank. Both legs alone are on the grid, and no mix is taken that ranks worse than
 * the better of them, so on these queries a weak leg never harms. Among the mixes that are as good as the best one
 * within a standard error (Breiman's rule), the nearest to the share that is known to be good with the embedder is taken:
 * made-up queries are only so like real ones.
 */
export function chooseMix(observations: readonly Observation[], share = unmeasured.dense): Measured {
  const floor = lowest(observations)
  const tried = grid.map((dense) => {
    const ranks = observations.map((one) => reciprocalRank(one, { dense, floor }))
    return { dense, ranks, mrr: mean(ranks) }
  })
  const alone = (dense: number) => tried.find((one) => one.dense === dense)?.mrr ?? 0
  const best = tried.reduce((a, b) => (b.mrr > a.mrr ? b : a))
  const good = tried.filter((one) => {
    const behind = best.ranks.map((rank, i) => rank - (one.ranks[i] as number))
    return best.mrr - one.mrr <= standardError(behind) && one.mrr >= Math.max(alone(0), alone(1))
  })
  const nearness = (mix: { dense: number }) => Math.abs(mix.dense - share)
  const chosen = good.reduce((a, b) => (nearness(b) < nearness(a) ? b : a), best)
  const mrr = { lexical: alone(0), dense: alone(1), fused: chosen.mrr }
  return { dense: chosen.dense, floor, queries: observations.length, mrr }
}

/** The cosine that 19 of 20 right passages reach: below it a dense find is more likely chance. */
function lowest(observations: readonly Observation[]): number {
  const cosines = observations
    .flatMap(({ right, dense }) => dense.find((hit) => right.includes(hit.id))?.score ?? [])
    .sort((a, b) => a - b)
  return Math.max(0, cosines[Math.floor(cosines.length * 0.05)] ?? 0)
}

function reciprocalRank({ right, lexical, dense }: Observation, mix: Mix): number {
  const at = fuse(lexical, dense, mix).findIndex((hit) => right.includes(hit.id))
  return at >= 0 ? 1 / (at + 1) : 0
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

/** Of the mean of `values`. */
function standardError(values: readonly number[]): number {
  const middle = mean(values)
  const variance = mean(values.map((value) => (value - middle) ** 2))
  return Math.sqrt(variance / Math.max(1, values.length))
}
