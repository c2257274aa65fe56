import type { Score } from '../../src/ports/engine.ts'
import type { GateCheck } from '../../src/ports/learning.ts'
import { wordDistance } from '../similar.ts'
import { mean, meanInterval, slack, wilson } from '../stats.ts'
import { atLeast, type Evidence, percent, round } from './check.ts'

/** Nats: the same text scores a little differently in another batch (0.007 seen in llama.cpp); that is no preference. */
const smallest = 0.05

/**
 * Held-out accuracy: the candidate raised the chosen text's log-probability above the reference by more than the
 * rejected one's (the implicit reward of DPO, arXiv 2305.18290, equation 5). Pairs of one prompt count as one
 * observation, because they are not independent.
 */
export function accuracy(evidence: Evidence): GateCheck {
  const shares = [...accuracies(evidence, evidence.candidate).values()]
  const interval = wilson(sum(shares), shares.length)
  return {
    id: 'accuracy',
    what: 'Held-out preferences learned',
    value: round(mean(shares)),
    limit: 'lower bound > 0.5',
    pass: shares.length > 0 && Number.isFinite(mean(shares)) && interval[0] > 0.5,
    n: shares.length,
    interval,
  }
}

/** The mean implicit reward margin, in nats. */
export function margin(evidence: Evidence): GateCheck {
  const margins = marginsOf(evidence, evidence.candidate)
  const value = mean(margins)
  return {
    id: 'margin',
    what: 'Chosen over rejected, nats above the base',
    value: round(value),
    limit: '> 0',
    pass: value > 0,
    n: margins.length,
    interval: meanInterval(margins),
  }
}

/** Preference training can push the chosen text down too, as long as the rejected one falls further. */
export function chosen({ base, candidate }: Evidence): GateCheck {
  const changes = candidate.pairs.map((pair, i) => perToken(pair.chosen) - perToken(base.pairs[i]?.chosen))
  const value = mean(changes)
  return {
    id: 'chosen',
    what: 'Change of chosen texts, nats a token',
    value: round(value),
    limit: '≥ -0.3',
    pass: value >= -0.3,
    n: changes.length,
  }
}

/** Not worse than the version that serves now, on the same held-out pairs. */
export function keepsUp(evidence: Evidence): GateCheck {
  const ours = [...accuracies(evidence, evidence.candidate).values()]
  const theirs = mean([...accuracies(evidence, evidence.incumbent).values()])
  const limit = atLeast(theirs, slack(0.03, ours.length))
  return {
    id: 'keeps-up',
    what: `Held-out preferences against ${evidence.incumbent.version}`,
    value: round(mean(ours)),
    limit: `≥ ${percent(limit)}`,
    pass: mean(ours) >= limit,
    n: ours.length,
  }
}

/** Fresh answers came nearer to what people chose, word for word, than the serving version's; ties count half. */
export function nearer({ material, incumbent, candidate }: Evidence): GateCheck {
  const wins = material.questions.map(({ chosen: good, rejected: bad }, i) => {
    const lean = (text = '') => wordDistance(text, bad) - wordDistance(text, good)
    const gain = lean(candidate.answers[i]?.text) - lean(incumbent.answers[i]?.text)
    return gain > 1e-9 ? 1 : gain < -1e-9 ? 0 : 0.5
  })
  return {
    id: 'nearer',
    what: 'Fresh answers nearer to what people chose',
    value: round(mean(wins)),
    limit: '≥ 0.5',
    pass: mean(wins) >= 0.5,
    n: wins.length,
    interval: wilson(sum(wins), wins.length),
  }
}

/** Held-out accuracy of each prompt. */
function accuracies(evidence: Evidence, version: Evidence['candidate']): ReadonlyMap<string, number> {
  const byPrompt = Map.groupBy(marginsOf(evidence, version).entries(), ([i]) => evidence.material.pairs[i]?.promptHash)
  return new Map(
    [...byPrompt].map(([prompt, entries]) => [
      prompt ?? '',
      mean(entries.map(([, gain]) => (gain > smallest ? 1 : 0))),
    ]),
  )
}

function marginsOf({ base }: Evidence, version: Evidence['candidate']): readonly number[] {
  return version.pairs.map((pair, i) => {
    const reference = base.pairs[i]
    if (!reference) return Number.NaN
    return above(pair.chosen, reference.chosen) - above(pair.rejected, reference.rejected)
  })
}

function above(score: Score, reference: Score): number {
  return score.logProbability - reference.logProbability
}

function perToken(score: Score | undefined): number {
  return score ? score.logProbability / score.tokens : Number.NaN
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
