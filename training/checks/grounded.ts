import type { GateCheck } from '../../src/ports/learning.ts'
import type { Answer, Golden } from '../measure.ts'
import { share, slack } from '../stats.ts'
import { declines, holds, valuesOf } from '../text.ts'
import { atLeast, type Evidence, percent, round } from './check.ts'

/** Golden questions that the base answers right are still answered right. */
export function golden(evidence: Evidence): GateCheck {
  return kept(evidence, {
    id: 'golden',
    what: 'Golden questions still answered right',
    of: ({ declines: unanswerable }) => unanswerable !== true,
  })
}

/** Questions the passages don't answer still get "I don't know" where the base says so. */
export function ignorance(evidence: Evidence): GateCheck {
  return kept(evidence, {
    id: 'ignorance',
    what: 'Unanswerable questions still declined',
    of: ({ declines: unanswerable }) => unanswerable === true,
  })
}

/**
 * Values (numbers, else names) of the texts people chose are in fresh answers as often as in the serving version's.
 * An answer is right when it has at least half of them, for a shorter answer may leave some out.
 */
export function values({ material, incumbent, candidate }: Evidence): GateCheck {
  const asked = material.questions.flatMap(({ prompt, chosen }, i) => {
    const wanted = valuesOf(prompt, chosen)
    return wanted.length > 0 ? [{ wanted, ours: candidate.answers[i], theirs: incumbent.answers[i] }] : []
  })
  const before = share(asked, ({ wanted, theirs }) => hasHalf(theirs, wanted))
  const value = share(asked, ({ wanted, ours }) => hasHalf(ours, wanted))
  const limit = atLeast(before, slack(0.05, asked.length))
  const none = asked.length === 0
  return {
    id: 'values',
    what: 'Fresh answers with the right values',
    value: none ? 1 : round(value),
    limit: none ? 'no values asked about' : `≥ ${percent(limit)}`,
    pass: none || value >= limit,
    n: asked.length,
  }
}

interface Kept {
  readonly id: string
  readonly what: string
  readonly of: (question: Golden) => boolean
}

/** Of the questions the base gets right, the share that the candidate gets right too. */
function kept({ material, base, candidate }: Evidence, { id, what, of }: Kept): GateCheck {
  const known = material.golden.flatMap((question, i) =>
    of(question) && right(question, base.golden[i]) ? [{ question, answer: candidate.golden[i] }] : [],
  )
  const none = known.length === 0
  const value = none ? 1 : share(known, ({ question, answer }) => right(question, answer))
  const limit = 1 - slack(0.05, known.length)
  return {
    id,
    what,
    value: round(value),
    limit: none ? 'the base gets none right' : `≥ ${percent(limit)}`,
    pass: value >= limit,
    n: known.length,
  }
}

function right({ contains, declines: unanswerable }: Golden, answer: Answer | undefined): boolean {
  if (!answer) return false
  if (unanswerable) return declines(answer.text)
  return (contains ?? []).every((value) => holds(answer.text, value))
}

function hasHalf(answer: Answer | undefined, wanted: readonly string[]): boolean {
  return wanted.filter((value) => holds(answer?.text ?? '', value)).length * 2 >= wanted.length
}
