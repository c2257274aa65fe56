import type { EngineSlot, Version } from '../src/ports/engine.ts'
import type { GateCheck, GateReport } from '../src/ports/learning.ts'
import type { Check, Evidence } from './checks/check.ts'
import { golden, ignorance, values } from './checks/grounded.ts'
import { finite, live } from './checks/integrity.ts'
import { citations, length, prose, repetition, speaks, stops } from './checks/language.ts'
import { accuracy, chosen, keepsUp, margin, nearer } from './checks/preference.ts'
import { type Golden, type HeldOutPair, type Material, type Measured, measure, quarters } from './measure.ts'
import { goldenSuite } from './suites/golden.ts'
import { proseSuite } from './suites/prose.ts'

/** With fewer held-out prompts the preference checks prove nothing either way: a person has to decide. */
export const minEvidence = 8

const maxPairs = 200
const maxQuestions = 24

/** Preference checks need evidence; all others must hold whatever the number. */
const preferenceChecks: readonly Check[] = [accuracy, margin, nearer, keepsUp]
const otherChecks: readonly Check[] = [
  finite,
  live,
  chosen,
  prose,
  speaks,
  stops,
  length,
  repetition,
  citations,
  golden,
  ignorance,
  values,
]

/** What the gate compares. */
export interface GateInput {
  readonly slot: EngineSlot
  readonly base: Version
  readonly candidate: Version
  readonly heldOut: readonly HeldOutPair[]
  /** The operator's own questions with known outcomes, beside the built-in ones. */
  readonly golden?: readonly Golden[]
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
  const ours = await measureVersion(candidate, material, input)
  const now =
    incumbent.id === base.id ? before : await measureVersion(incumbent, { ...material, golden: [], prose: [] }, input)
  const evidence = { material, base: before, incumbent: now, candidate: ours }
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
export function judge(evidence: Evidence): GateReport {
  const preference = preferenceChecks.map((check) => check(evidence))
  const other = otherChecks.map((check) => check(evidence))
  const prompts = new Set(evidence.material.pairs.map(({ promptHash }) => promptHash)).size
  const enough: GateCheck = {
    id: 'evidence',
    what: 'Held-out prompts',
    value: prompts,
    limit: `≥ ${minEvidence}, else a person decides`,
    pass: prompts >= minEvidence,
    n: prompts,
  }
  const checks = [enough, ...preference, ...other]
  if (other.some(({ pass }) => !pass)) return { verdict: 'refuse', checks }
  if (!enough.pass) return { verdict: 'hold', checks }
  return { verdict: preference.every(({ pass }) => pass) ? 'promote' : 'refuse', checks }
}

async function measureVersion(version: Version, material: Material, input: GateInput): Promise<Measured> {
  const { slot, signal, say } = input
  say?.(`Measuring ${version.id}.`)
  const onProgress = quarters((done) => say?.(`Measuring ${version.id}: ${done} %.`))
  return slot.borrow(version, (engine) => measure(engine, material, { signal, onProgress }))
}

const unmeasurable: GateCheck = {
  id: 'score',
  what: 'The engine gives log-probabilities',
  value: 0,
  limit: 'needed; without them a person decides',
  pass: false,
  n: 0,
}

/** The held-out pairs, one fresh question a prompt, the plain prose, and golden questions in this bot's own layout. */
function materialOf(heldOut: readonly HeldOutPair[], own: readonly Golden[]): Material {
  const pairs = heldOut.slice(-maxPairs)
  const questions = [...new Map(pairs.map((pair) => [pair.promptHash, pair])).values()].slice(-maxQuestions)
  const system = pairs.at(-1)?.prompt.filter(({ role }) => role === 'system') ?? []
  return { pairs, questions, prose: proseSuite, golden: [...own, ...goldenSuite(system)] }
}
