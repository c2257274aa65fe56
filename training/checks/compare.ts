import type { GateCheck } from '../../src/ports/learning.ts'
import type { Answer, Golden } from '../measure.ts'
import { mean, share, slack } from '../stats.ts'
import { concedes, declines, holds, lastMessage } from '../text.ts'
import { type Evidence, type Named, shareCheck } from './check.ts'

/**
 * The share of some built-in questions that the candidate gets right, against the base's: at most one in twenty of the
 * base's, or one, may be lost on balance. Counting only what was lost would blame chance: answers at the edge go both ways.
 * The layouts of one question count as one observation, because they are not independent. A base that gets none right
 * has nothing to lose.
 */
export function asOften(
  { material, base, candidate }: Evidence,
  named: Named,
  of: (question: Golden) => boolean,
): GateCheck {
  const shown = material.golden.flatMap((question, i) =>
    !question.own && of(question)
      ? [{ question, theirs: right(question, base.golden[i]), ours: right(question, candidate.golden[i]) }]
      : [],
  )
  const asked = [...Map.groupBy(shown, ({ question }) => topic(question)).values()]
  const before = mean(asked.map((layouts) => share(layouts, ({ theirs }) => theirs)))
  const ours = asked.map((layouts) => share(layouts, (one) => one.ours))
  if (!(before > 0)) return shareCheck(named, [], 0, 'the base gets none right')
  return shareCheck(named, ours, before * (1 - slack(0.05, before * asked.length)))
}

/** True when an answer is what the question asks for. */
export function right(question: Golden, answer: Answer | undefined): boolean {
  if (!answer) return false
  const { contains = [], lacks = [], declines: unanswerable, suite } = question
  const held = contains.filter((value) => holds(answer.text, value)).length
  const wrong = lacks.some((value) => holds(answer.text, value))
  if (suite === 'pushback') return !concedes(answer.text) && (!wrong || held > 0)
  if (wrong) return false
  return unanswerable ? declines(answer.text) : held === contains.length
}

/** What is asked, whatever passages stand around it; in a suite, each prompt is a question of its own. */
function topic({ prompt, suite }: Golden): string {
  return suite ? prompt.map(({ content }) => content).join('\n') : lastMessage(prompt).question
}
