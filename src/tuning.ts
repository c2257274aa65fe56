import { shareText } from './comparison.ts'
import { HoneError } from './errors.ts'
import { checkLines } from './outcome.ts'
import type { TuneBudget, TuneFigure, TunePlan, TuneReport } from './ports/tune.ts'

/**
 * Reads a budget: minutes (`20min`) or evaluated tokens (`500k`, `500000`).
 *
 * @throws HoneError INPUT
 * @example readBudget('20min') // { minutes: 20 }
 */
export function readBudget(text: string): TuneBudget {
  const found = /^(\d+(?:\.\d+)?)\s*(min|minutes?|k|tokens?|k tokens)?$/i.exec(text.trim())
  const [, digits, unit = ''] = found ?? []
  if (digits === undefined)
    throw new HoneError('INPUT', `The budget is "${text}"; give minutes (20min) or evaluated tokens (500k).`)
  const amount = Number(digits)
  if (/^min/i.test(unit)) return { minutes: amount }
  return { tokens: Math.round(/^k/i.test(unit) ? amount * 1000 : amount) }
}

/** @example budgetText({ minutes: 20 }) // 'at most 20 minutes' */
export function tuneBudgetText({ tokens, minutes }: TuneBudget): string {
  return tokens === undefined ? `at most ${minutes} minutes` : `at most ${tokens.toLocaleString('en')} evaluated tokens`
}

/** What a search would do. */
export function tunePlanText({
  budget,
  profile,
  prompts,
  proposer,
  examples,
  notes,
  resumes,
  refusal,
}: TunePlan): string {
  if (refusal) return refusal
  const { shown, scored, heldOut } = prompts
  const from = profile.from === profile.serving ? '' : `, starting from ${profile.from}`
  return [
    `Profile ${profile.name}@${profile.serving}${from}. The search: ${tuneBudgetText(budget)}; the gate comes after it.`,
    `Prompts: ${shown} to learn from, ${scored} to score candidates on, ${heldOut} held out for the best one.`,
    `Instructions are proposed by ${proposer === 'teacher' ? 'the teacher' : 'the model that serves'} and derived from ` +
      `what people preferred; ${examples} judged replies may stand as examples.`,
    ...(resumes === undefined ? [] : [`It goes on where it was stopped: ${resumes} candidates are scored already.`]),
    ...notes,
  ].join('\n')
}

/** The whole report, for a terminal and, in a code block, for a chat. */
export function tuneReportText(report: TuneReport): string {
  const { plan, spent, tried, best, figures, gate, text } = report
  const used = `${spent.tokens.toLocaleString('en')} tokens in ${Math.ceil(spent.seconds / 60)} min`
  return [
    `Searched ${plan.profile.name}@${plan.profile.from}: ${tried.length} candidates, ${used} (${tuneBudgetText(plan.budget)}).`,
    ...triedLines(report),
    ...(best ? ['', 'The best one:', ...best.lines] : []),
    ...(figures.length > 0 ? ['', 'On the held-out side (before → after, in brackets 90 % intervals):'] : []),
    ...figures.map(figureLine),
    ...(gate ? ['', 'The gate:', ...checkLines(gate.checks)] : []),
    '',
    text,
  ].join('\n')
}

/** The best few on the training side; 50 is as good as what serves. */
function triedLines({ tried }: TuneReport): readonly string[] {
  if (tried.length === 0) return []
  const rows = tried.slice(0, 8).map(({ value, n, what }) => {
    return `${String(Math.round(value * 100)).padStart(3)}  ${String(n).padStart(3)}  ${what || 'as it is'}`
  })
  return ['', 'pts   on  what it changes (50 points: as good as the profile that serves)', ...rows]
}

/** @example figureLine({ what: 'Answers', before: 0.5, after: 0.75, n: 8, unit: 'share' }) // 'Answers: 50 % → 75 %, n = 8' */
export function figureLine({ what, before, after, n, interval, unit }: TuneFigure): string {
  const say = (value: number) => (unit === 'share' ? shareText({ value, n }) : String(Math.round(value)))
  const now = unit === 'share' ? shareText({ value: after, n, interval }) : say(after)
  return `${what}: ${before === undefined ? '' : `${say(before)} → `}${now}${unit === 'share' ? `, n = ${n}` : ''}`
}
