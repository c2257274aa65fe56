import type { GateCheck } from '../../src/ports/learning.ts'
import { mean, meanInterval } from '../stats.ts'
import { type Evidence, round } from './check.ts'

/** Nats a token. A good run on the starter model moves by less than 0.05. */
const budget = 0.2

/**
 * How far the version moved from the base where no feedback was: nats a token by which the base's own answers to small
 * talk became less likely. Over the base's samples that is its divergence from the candidate (KL); on greedy answers, which
 * need no luck, it is an estimate of it.
 */
export function drift({ base, candidate }: Evidence): GateCheck {
  const losses = base.talk.map(({ score }, i) => {
    const after = candidate.talk[i]?.score.logProbability ?? Number.NaN
    return (score.logProbability - after) / score.tokens
  })
  const named = { id: 'drift', what: 'Drift from the base on small talk, nats a token' }
  if (losses.length === 0) return { ...named, value: 0, limit: 'the base says nothing', pass: true, n: 0 }
  const value = mean(losses)
  return {
    ...named,
    value: round(value),
    limit: `≤ ${budget}`,
    pass: value <= budget,
    n: losses.length,
    interval: meanInterval(losses),
  }
}
