import type { Score } from '../../src/ports/engine.ts'
import type { GateCheck } from '../../src/ports/learning.ts'
import type { Answer } from '../measure.ts'
import { mean, share, slack } from '../stats.ts'
import { cites, distinctThrees, lastMessage } from '../text.ts'
import { atLeast, type Evidence, percent, round } from './check.ts'

/** Perplexity of unrelated plain text against the base: what the model forgot. */
export function prose({ base, candidate }: Evidence): GateCheck {
  const value = perplexity(candidate.prose) / perplexity(base.prose)
  return {
    id: 'prose',
    what: 'Perplexity of unrelated text against the base',
    value: round(value),
    limit: '≤ 1.15',
    pass: value <= 1.15,
    n: candidate.prose.length,
  }
}

/** No answer is empty where the serving version's wasn't. */
export function speaks({ incumbent, candidate }: Evidence): GateCheck {
  const before = share(incumbent.answers, spoken)
  const value = share(candidate.answers, spoken)
  return {
    id: 'speaks',
    what: 'Answers that are not empty',
    value: round(value),
    limit: `≥ ${percent(before)}`,
    pass: value >= before,
    n: candidate.answers.length,
  }
}

/** Answers end by themselves instead of running into the limit. */
export function stops({ incumbent, candidate }: Evidence): GateCheck {
  const limit = atLeast(share(incumbent.answers, ended), slack(0.05, candidate.answers.length))
  const value = share(candidate.answers, ended)
  return {
    id: 'stops',
    what: 'Answers that end by themselves',
    value: round(value),
    limit: `≥ ${percent(limit)}`,
    pass: value >= limit,
    n: candidate.answers.length,
  }
}

/** Length against the serving version. Wide, because short answers may be just what people want. */
export function length({ incumbent, candidate }: Evidence): GateCheck {
  const value = mean(candidate.answers.map(characters)) / mean(incumbent.answers.map(characters))
  return {
    id: 'length',
    what: 'Length against the serving version',
    value: round(value),
    limit: '0.25 to 3',
    pass: value >= 0.25 && value <= 3,
    n: candidate.answers.length,
  }
}

/** Three-word runs that are new within their answer: a ruined model says the same thing over and over. */
export function repetition({ incumbent, candidate }: Evidence): GateCheck {
  const limit = mean(incumbent.answers.map(({ text }) => distinctThrees(text))) - 0.1
  const value = mean(candidate.answers.map(({ text }) => distinctThrees(text)))
  return {
    id: 'repetition',
    what: 'Three-word runs that are new in their answer',
    value: round(value),
    limit: `≥ ${round(limit)}`,
    pass: value >= limit,
    n: candidate.answers.length,
  }
}

/** Answers from passages still cite them, unless the texts people chose don't either. */
export function citations({ material, incumbent, candidate }: Evidence): GateCheck {
  const asked = material.questions.flatMap(({ prompt, chosen }, i) => {
    const [ours, theirs] = [candidate.answers[i], incumbent.answers[i]]
    return lastMessage(prompt).passages !== '' && ours && theirs
      ? [{ chosen, ours: ours.text, theirs: theirs.text }]
      : []
  })
  const wanted = Math.min(
    share(asked, (item) => cites(item.theirs)),
    share(asked, (item) => cites(item.chosen)),
  )
  const limit = atLeast(wanted, slack(0.05, asked.length))
  const value = share(asked, (item) => cites(item.ours))
  return {
    id: 'citations',
    what: 'Answers from passages that cite one',
    value: asked.length === 0 ? 1 : round(value),
    limit: asked.length === 0 ? 'no passages asked about' : `≥ ${percent(limit)}`,
    pass: asked.length === 0 || value >= limit,
    n: asked.length,
  }
}

function perplexity(scores: readonly Score[]): number {
  const tokens = scores.reduce((sum, score) => sum + score.tokens, 0)
  return Math.exp(-scores.reduce((sum, score) => sum + score.logProbability, 0) / tokens)
}

function spoken({ text }: Answer): boolean {
  return text.trim() !== ''
}

function ended({ reason }: Answer): boolean {
  return reason === 'stop'
}

function characters({ text }: Answer): number {
  return text.trim().length
}
