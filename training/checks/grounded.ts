import type { GateCheck } from '../../src/ports/learning.ts'
import type { Answer } from '../measure.ts'
import { share, slack } from '../stats.ts'
import { declines, holds, valuesOf } from '../text.ts'
import { atLeast, type Evidence, shareCheck } from './check.ts'
import { asOften, right } from './compare.ts'

/** Golden questions are answered right as often as by the base. */
export function golden(evidence: Evidence): GateCheck {
  const named = { id: 'golden', what: 'Golden questions answered right' }
  return asOften(evidence, named, ({ declines: unanswerable, suite }) => !suite && unanswerable !== true)
}

/** Questions the passages don't answer get "I don't know" as often as from the base. */
export function ignorance(evidence: Evidence): GateCheck {
  const named = { id: 'ignorance', what: 'Unanswerable questions declined' }
  return asOften(evidence, named, ({ declines: unanswerable, suite }) => !suite && unanswerable === true)
}

/** Questions that the passages do answer are not declined more often than by the base. */
export function willing({ material, base, candidate }: Evidence): GateCheck {
  const asked = material.golden.flatMap(({ own: theirs, declines: unanswerable, suite }, i) =>
    theirs || unanswerable || suite ? [] : [i],
  )
  const answers = ({ golden: all }: Evidence['base']) => asked.map((i) => !declines(all[i]?.text ?? ''))
  const limit = atLeast(share(answers(base), Boolean), slack(0.05, asked.length))
  return shareCheck({ id: 'willing', what: 'Answerable questions not declined' }, answers(candidate), limit)
}

/** Each of the operator's own questions that the base answers right is still answered right: here no gain makes up for a loss. */
export function own({ material, base, candidate }: Evidence): GateCheck {
  const known = material.golden.flatMap((question, i) =>
    question.own && right(question, base.golden[i]) ? [right(question, candidate.golden[i])] : [],
  )
  const named = { id: 'own-questions', what: "The operator's questions still answered right" }
  return shareCheck(named, known, 1, 'the base gets none right')
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
  const ours = asked.map(({ wanted, ours: text }) => hasHalf(text, wanted))
  const named = { id: 'values', what: 'Fresh answers with the right values' }
  return shareCheck(named, ours, atLeast(before, slack(0.05, asked.length)), 'no values asked about')
}

/** True when an answer has at least half of the values: a shorter one may leave some out. */
export function hasHalf(answer: Answer | undefined, wanted: readonly string[]): boolean {
  return wanted.filter((value) => holds(answer?.text ?? '', value)).length * 2 >= wanted.length
}
