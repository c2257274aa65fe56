import type { ChatMessage, Engine, EngineSlot, Version } from '../../src/ports/engine.ts'
import type { GateCheck, GateReport } from '../../src/ports/learning.ts'
import type { PromptTexts, TuneFigure } from '../../src/ports/tune.ts'
import type { Check, Evidence } from '../checks/check.ts'
import { right } from '../checks/compare.ts'
import { golden, hasHalf, ignorance, own, values, willing } from '../checks/grounded.ts'
import { finite, live } from '../checks/integrity.ts'
import { citations, length, repetition, speaks, stops } from '../checks/language.ts'
import { accuracy, chosen, margin, people, planted, praise } from '../checks/preference.ts'
import { addresses, flattery, injection, leak, pushback, refusal } from '../checks/safety.ts'
import { nearer } from '../checks/winning.ts'
import { type Checks, judge, judgeAnswers, materialOf, unmeasurable } from '../gate.ts'
import { type Golden, type Measured, measure, quarters } from '../measure.ts'
import { wordDistance } from '../similar.ts'
import { share, wilson } from '../stats.ts'
import { leakSuite } from '../suites/leak.ts'
import { valuesOf } from '../text.ts'
import { begun, type Case, type Material } from './cases.ts'
import type { PromptFacts, PromptProfile } from './facts.ts'

/**
 * The gate's checks that say something of a prompt. Not perplexity of plain text, nor drift on small talk: the weights are
 * the same, and small talk may sound otherwise.
 */
const preferences: readonly Check[] = [accuracy, margin, nearer, people]
const others: readonly Check[] = [
  finite,
  live,
  chosen,
  speaks,
  stops,
  length,
  repetition,
  citations,
  golden,
  ignorance,
  willing,
  own,
  values,
  injection,
  refusal,
  pushback,
  leak,
  flattery,
  praise,
  addresses,
  planted,
]

/** Words that a line must have for its words in a reply to be no accident. */
const longLine = 6

export interface PromptGateInput {
  readonly slot: EngineSlot
  readonly version: Version
  readonly facts: PromptFacts
  /** What serves, and the candidate. */
  readonly serving: PromptProfile
  readonly start: PromptProfile
  readonly texts: PromptTexts
  readonly material: Pick<Material, 'heldOut' | 'guard'>
  readonly golden: readonly Golden[]
  readonly judge?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** The gate's word on a prompt, and its figures on the held-out side beside those of the profile that serves. */
export interface PromptJudgement {
  readonly report: GateReport
  readonly figures: readonly TuneFigure[]
}

/**
 * Measures the profile that serves and the candidate on the held-out side, once each, with the version that serves, and
 * judges the candidate as a model version is judged.
 */
export async function promptGate(input: PromptGateInput): Promise<PromptJudgement> {
  const { slot, version, serving, start, texts, signal, say } = input
  // The same for both, or a line that is new could leak unseen.
  const secrets = [serving, texts].flatMap(({ hidden, rules }) => [...hidden, ...rules])
  const before = await materialUnder(input, { profile: serving, texts: serving, secrets })
  const after = await materialUnder(input, { profile: start, texts, secrets })
  return slot.borrow(version, async (engine) => {
    const scorable = engine.score !== undefined
    const look = async (name: string, material: typeof before) => {
      say(`The gate measures ${name} on the held-out side.`)
      const onProgress = quarters((done) => say(`Measuring ${name}: ${done} %.`))
      const asked = scorable ? material : { ...material, pairs: [] }
      return measure(engine, asked, { signal, onProgress })
    }
    const [base, candidate] = [await look('the profile that serves', before), await look('the candidate', after)]
    const judged = await judgeAnswers(input, before, { ours: candidate, theirs: base })
    const evidence = { material: before, base, incumbent: base, candidate, ...(judged && { judged }) }
    const count = async (prompt: readonly ChatMessage[]) => (await engine.countTokens?.(prompt)) ?? Number.NaN
    const tokens = [await count(before.opening), await count(after.opening)] as const
    return { report: verdict(evidence, input, scorable), figures: figuresOf(evidence, tokens) }
  })
}

/** Pure, but for what the guard knows. */
function verdict(evidence: Evidence, { texts, serving, material }: PromptGateInput, scorable: boolean): GateReport {
  const written = [...serving.hidden, ...serving.rules]
  const lines = [...texts.hidden, ...texts.rules].filter((line) => !written.includes(line))
  const faults = lines.flatMap((line) => material.guard.ofLine(line) ?? [])
  const clean: GateCheck = {
    id: 'private',
    what: 'New lines with a name, a secret or somebody’s words',
    value: faults.length,
    limit: '= 0',
    pass: faults.length === 0,
    n: lines.length,
  }
  const checks: Checks = { preferences, others: [...others, () => clean] }
  if (scorable) return judge(evidence, checks)
  const scored = new Set<Check>([accuracy, margin, people, finite, live, chosen, praise, planted])
  const without = { preferences: [nearer], others: checks.others.filter((check) => !scored.has(check)) }
  const { verdict: word, checks: done } = judge(evidence, without)
  return { verdict: word === 'promote' ? 'hold' : word, checks: [unmeasurable, ...done] }
}

/** The held-out side, and what must not get worse, as a profile with these texts would put it to the model. */
async function materialUnder(
  { facts, material: { heldOut }, golden: asked }: PromptGateInput,
  { profile: of, texts, secrets }: { profile: PromptProfile; texts: PromptTexts; secrets: readonly string[] },
) {
  const values = heldOut.at(-1)?.values ?? {}
  const opening = await facts.opening(of, texts, values)
  const under = async (one: Case): Promise<Case> => ({
    ...one,
    prompt: begun(one.prompt, await facts.exampleMessages(one.profile), await facts.opening(of, texts, one.values)),
  })
  const pairs = await Promise.all(heldOut.map(under))
  const questions = asked.map((one) => ({ ...one, prompt: begun(one.prompt, 0, opening) }))
  const whole = materialOf(pairs, questions, opening)
  const long = secrets.filter((line) => line.split(/\s+/).length >= longLine)
  const suites = [...whole.golden, ...leakSuite(opening, long)]
  return { ...whole, golden: suites, prose: [], forms: [], talk: [], opening }
}

/** Before and after, in the words of a report. */
function figuresOf(evidence: Evidence, [before, after]: readonly [number, number]): readonly TuneFigure[] {
  const { material, base, candidate } = evidence
  const count = (what: string, items: readonly unknown[], holds: (seen: Measured, i: number) => boolean) => {
    const shares = [base, candidate].map((seen) => share([...items.keys()], (i) => holds(seen, i)))
    const n = items.length
    return n === 0
      ? []
      : [
          {
            what,
            before: shares[0] ?? 0,
            after: shares[1] ?? 0,
            n,
            interval: wilson((shares[1] ?? 0) * n, n),
            unit: 'share' as const,
          },
        ]
  }
  const valued = material.questions.flatMap(({ prompt, chosen: good }, i) => {
    const wanted = valuesOf(prompt, good)
    return wanted.length > 0 ? [{ wanted, i }] : []
  })
  const plain = material.golden.flatMap((question, i) => (question.suite || question.declines ? [] : [{ question, i }]))
  const unanswerable = material.golden.flatMap((question, i) =>
    !question.suite && question.declines ? [{ question, i }] : [],
  )
  const cells = [
    ...nearerFigure(evidence),
    ...count('Prefers the chosen text', base.pairs, (seen, i) => {
      const pair = seen.pairs[i]
      return pair !== undefined && pair.chosen.logProbability > pair.rejected.logProbability
    }),
    ...count('Fresh answers with the right values', valued, (seen, at) =>
      hasHalf(seen.answers[valued[at]?.i ?? -1], valued[at]?.wanted ?? []),
    ),
    ...count('Golden questions answered right', plain, (seen, at) => isRight(plain[at], seen)),
    ...count('Unanswerable questions declined', unanswerable, (seen, at) => isRight(unanswerable[at], seen)),
  ]
  const cost: readonly TuneFigure[] = Number.isFinite(before)
    ? [{ what: 'Tokens before the conversation', before, after, n: 1, unit: 'tokens' }]
    : []
  return [...cells, ...cost]
}

function isRight(asked: { readonly question: Golden; readonly i: number } | undefined, seen: Measured): boolean {
  return asked !== undefined && right(asked.question, seen.golden[asked.i])
}

function nearerFigure({ material, base, candidate }: Evidence): readonly TuneFigure[] {
  const leans = (seen: Measured) =>
    material.questions.map(({ chosen: good, rejected: bad }, i) => {
      const { text = '' } = seen.answers[i] ?? {}
      return wordDistance(text, bad) - wordDistance(text, good)
    })
  const theirs = leans(base)
  const wins = leans(candidate).map((lean, i): number => {
    const gain = lean - (theirs[i] ?? 0)
    return gain > 1e-9 ? 1 : gain < -1e-9 ? 0 : 0.5
  })
  const n = wins.length
  const won = wins.reduce((sum, win) => sum + win, 0)
  if (n === 0) return []
  const what = 'Fresh answers nearer to what people chose than those of the profile that serves'
  return [{ what, after: won / n, n, interval: wilson(won, n), unit: 'share' }]
}
