import type { Score } from '../../src/ports/engine.ts'
import type { GateCheck } from '../../src/ports/learning.ts'
import { type Evidence, round } from './check.ts'

/** Every score is a finite number over at least one token: weights that blew up give NaN or infinity. */
export function finite({ candidate }: Evidence): GateCheck {
  const scores = scoresOf(candidate)
  const good = scores.filter(({ logProbability, tokens }) => Number.isFinite(logProbability) && tokens > 0)
  return {
    id: 'finite',
    what: 'Scores that are numbers',
    value: good.length,
    limit: `= ${scores.length}`,
    pass: scores.length > 0 && good.length === scores.length,
    n: scores.length,
  }
}

/** Nats a token by which a live LoRA must differ from the base somewhere; llama.cpp repeats itself 20 times closer. */
const smallest = 5e-3

/** The LoRA has an effect on the serving engine and answers come out: a LoRA that was ignored changes nothing. */
export function live({ base, candidate }: Evidence): GateCheck {
  const before = scoresOf(base)
  const changes = scoresOf(candidate).map((score, i) => Math.abs(perToken(score) - perToken(before[i])))
  const largest = changes.reduce((max, change) => Math.max(max, change), 0)
  const answered = candidate.answers.length === 0 || candidate.answers.some(({ text }) => text.trim() !== '')
  return {
    id: 'live',
    what: 'Largest change against the base, nats a token',
    value: round(largest),
    limit: `≥ ${smallest}, with an answer`,
    pass: largest >= smallest && answered,
    n: changes.length,
  }
}

function scoresOf({ pairs, prose, forms, talk }: Evidence['candidate']): readonly Score[] {
  return [
    ...pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]),
    ...prose,
    ...forms,
    ...talk.map(({ score }) => score),
  ]
}

function perToken(score: Score | undefined): number {
  return score ? score.logProbability / score.tokens : Number.NaN
}
