import { HoneError } from '../src/errors.ts'
import type { ChatMessage, Engine, TenantSlot, Version } from '../src/ports/engine.ts'
import type { GateCheck, GateReport } from '../src/ports/learning.ts'
import type { Check, Evidence } from './checks/check.ts'
import { drift } from './checks/drift.ts'
import { golden, ignorance, own, values, willing } from './checks/grounded.ts'
import { finite, live } from './checks/integrity.ts'
import { citations, forms, length, prose, repetition, speaks, stops } from './checks/language.ts'
import { accuracy, chosen, keepsUp, margin, people, planted, praise } from './checks/preference.ts'
import { addresses, flattery, injection, pushback, refusal } from './checks/safety.ts'
import { judged, nearer } from './checks/winning.ts'
import { compareAnswers } from './judge.ts'
import { type Golden, type HeldOutPair, type Material, type Measured, measure, quarters } from './measure.ts'
import { formsSuite } from './suites/forms.ts'
import { goldenSuite } from './suites/golden.ts'
import { injectionSuite } from './suites/injection.ts'
import { laidOut } from './suites/layout.ts'
import { proseSuite } from './suites/prose.ts'
import { pushbackSuite } from './suites/pushback.ts'
import { refusalSuite } from './suites/refusal.ts'
import { talkSuite } from './suites/talk.ts'
import { lastMessage } from './text.ts'

/** With fewer held-out prompts the preference checks prove nothing either way: a person has to decide. */
export const minEvidence = 8

const maxPairs = 200
const maxQuestions = 24

/** Preference checks need evidence; all others must hold whatever the number. */
const preferenceChecks: readonly Check[] = [accuracy, margin, nearer, keepsUp, people]
const otherChecks: readonly Check[] = [
  finite,
  live,
  chosen,
  prose,
  forms,
  drift,
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
  flattery,
  praise,
  addresses,
  planted,
]

/** What a candidate is judged by. */
export interface Checks {
  readonly preferences: readonly Check[]
  readonly others: readonly Check[]
}

/** What the gate compares. */
export interface GateInput {
  readonly slot: TenantSlot
  readonly base: Version
  readonly candidate: Version
  readonly heldOut: readonly HeldOutPair[]
  /** The operator's own questions with known outcomes, beside the built-in ones. */
  readonly golden?: readonly Golden[]
  /** Loads an engine that judges fresh answers, for as long as `work` takes. Absent: rules alone judge them. */
  readonly judge?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
  readonly say?: (line: string) => void
}

/** The gate's report, and a text whose log-probability proves from then on that the LoRA is live. */
export interface Judgement {
  readonly report: GateReport
  readonly probe?: { readonly text: string; readonly base: number; readonly candidate: number }
}

/**
 * Measures the base, the serving version and the candidate on the engine that serves, and judges the candidate.
 * Any failed check refuses it; too little evidence holds it for a person; else it may be promoted.
 */
export async function gate(input: GateInput): Promise<Judgement> {
  const { slot, base, candidate } = input
  const incumbent = slot.version
  const material = materialOf(input.heldOut, input.golden ?? [])
  const canScore = await slot.use(async (engine) => engine.score !== undefined)
  if (!canScore) return { report: { verdict: 'hold', checks: [unmeasurable] } }
  const before = await measureVersion(base, material, input)
  const ours = await measureVersion(candidate, { ...material, talk: before.talk }, input)
  const fewer = { ...material, golden: [], prose: [], forms: [], talk: [] }
  const now = incumbent.id === base.id ? before : await measureVersion(incumbent, fewer, input)
  const wins = await judgeAnswers(input, material, { ours, theirs: now })
  const evidence = { material, base: before, incumbent: now, candidate: ours, ...(wins && { judged: wins }) }
  const probe = probeOf(evidence)
  return { report: judge(evidence), ...(probe ? { probe } : {}) }
}

/** The plain text that tells the candidate from the base best. */
function probeOf({ material, base, candidate }: Evidence): Judgement['probe'] {
  const texts = material.prose.map((text, i) => ({
    text,
    base: base.prose[i]?.logProbability ?? Number.NaN,
    candidate: candidate.prose[i]?.logProbability ?? Number.NaN,
  }))
  const apart = (item: { readonly base: number; readonly candidate: number }) => Math.abs(item.base - item.candidate)
  return texts
    .filter((item) => Number.isFinite(apart(item)) && apart(item) > 0)
    .toSorted((a, b) => apart(b) - apart(a))[0]
}

/** The verdict on measurements: pure, so that every way to fail is a test without an engine. */
export function judge(
  evidence: Evidence,
  { preferences, others }: Checks = { preferences: preferenceChecks, others: otherChecks },
): GateReport {
  const prompts = new Set(evidence.material.pairs.map(({ promptHash }) => promptHash)).size
  const enough: GateCheck = {
    id: 'evidence',
    what: 'Held-out prompts',
    value: prompts,
    limit: `≥ ${minEvidence}, else a person decides`,
    pass: prompts >= minEvidence,
    n: prompts,
    onFail: 'hold',
  }
  const preference = [...preferences, ...(evidence.judged ? [judged] : [])].map((check) => check(evidence))
  const weighed = enough.pass ? preference : preference.map((check) => ({ ...check, onFail: 'hold' as const }))
  const checks = [enough, ...weighed, ...others.map((check) => check(evidence))]
  const failed = checks.filter(({ pass }) => !pass)
  if (failed.length === 0) return { verdict: 'promote', checks }
  return { verdict: failed.every(({ onFail }) => onFail === 'hold') ? 'hold' : 'refuse', checks }
}

/** What the judge says of each fresh answer; nothing where there is no judge, and no answers where it failed. */
export async function judgeAnswers(
  { judge: lend, signal, say }: Pick<GateInput, 'judge' | 'signal' | 'say'>,
  { questions }: Material,
  { ours, theirs }: { readonly ours: Measured; readonly theirs: Measured },
): Promise<readonly number[] | undefined> {
  if (!lend) return undefined
  say?.('Asking the judge.')
  const rows = questions.map(({ prompt }, i) => ({
    prompt,
    ours: ours.answers[i]?.text ?? '',
    theirs: theirs.answers[i]?.text ?? '',
  }))
  try {
    return await lend((engine) => compareAnswers(engine, rows, { signal }))
  } catch (error) {
    if (signal.aborted || !(error instanceof HoneError)) throw error
    say?.(`The judge failed: ${error.message}`)
    return []
  }
}

async function measureVersion(version: Version, material: Material, input: GateInput): Promise<Measured> {
  const { slot, signal, say } = input
  say?.(`Measuring ${version.id}.`)
  const onProgress = quarters((done) => say?.(`Measuring ${version.id}: ${done} %.`))
  return slot.borrow(version, (engine) => measure(engine, material, { signal, onProgress }))
}

export const unmeasurable: GateCheck = {
  id: 'score',
  what: 'The engine gives log-probabilities',
  value: 0,
  limit: 'needed; without them a person decides',
  pass: false,
  n: 0,
  onFail: 'hold',
}

/**
 * The held-out pairs, one fresh question a prompt, the plain prose, and golden questions in this bot's own layout: after
 * `opening`, or after the system message of the newest pair, with highlights where the pairs have any.
 */
export function materialOf<P extends HeldOutPair>(
  heldOut: readonly P[],
  own: readonly Golden[],
  opening?: readonly ChatMessage[],
): Material & { readonly pairs: readonly P[]; readonly questions: readonly P[] } {
  const pairs = heldOut.slice(-maxPairs)
  const questions = [...new Map(pairs.map((pair) => [pair.promptHash, pair])).values()].slice(-maxQuestions)
  const system = opening ?? pairs.at(-1)?.prompt.filter(({ role }) => role === 'system') ?? []
  const highlights = pairs.some(({ prompt }) => lastMessage(prompt).highlights !== '')
  const setting = { system, highlights }
  const suites = [goldenSuite, injectionSuite, refusalSuite, pushbackSuite].flatMap((suite) => suite(setting))
  const talk = talkSuite.map((text) => ({ prompt: laidOut(setting, [], text) }))
  return { pairs, questions, prose: proseSuite, forms: formsSuite, talk, golden: [...own, ...suites] }
}
