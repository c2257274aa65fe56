import { join } from 'node:path'
import { asHoneError } from '../src/errors.ts'
import { guestOf } from '../src/id.ts'
import type { GateReport } from '../src/ports/learning.ts'
import type { Dataset } from './dataset.ts'
import { gate, type Judgement } from './gate.ts'
import type { VersionManifest } from './manifest.ts'
import { stopIf } from './measure.ts'
import type { Candidate } from './registry.ts'
import type { MadeLora, RunParts, RunRequest, RunVoice } from './request.ts'
import { lostTooMuch, weaken, weakerBy } from './weaken.ts'

/** What a run has made. */
export interface Finished {
  readonly dataset: Dataset
  readonly done: MadeLora
  readonly voice: RunVoice
}
/** A candidate that is on record, and what the gate says of it. */
export interface JudgedCandidate {
  readonly candidate: Candidate
  readonly report: GateReport
}

/**
 * A LoRA that learned what people want and lost too much of the base is tried once more, nearer to the base: another candidate
 * before the same gate. Nothing where that isn't what was wrong.
 */
export async function onceMore(
  parts: RunParts,
  request: RunRequest,
  { done, ...rest }: Finished,
  { candidate, report }: JudgedCandidate,
): Promise<JudgedCandidate | undefined> {
  const { lora } = candidate.version
  if (!lora || !lostTooMuch(report)) return undefined
  const { say, signal } = rest.voice
  try {
    stopIf(signal)
    const own = { gguf: lora.path, ...(done.peft && { peft: join(candidate.folder, 'peft') }) }
    const weaker = await weaken(own, weakerBy, join(parts.dataDir, 'jobs', request.id, 'output.weaker'))
    if (!weaker) return undefined
    const lost = report.checks.flatMap(({ id, pass }) => (pass ? [] : [id])).join(', ')
    say(`${candidate.id} learned it and lost too much besides (${lost}). Once more, at ${weakerBy} of its strength.`)
    const hyper = { ...request.hyper, strength: Number((request.hyper.strength * weakerBy).toPrecision(3)) }
    return await judged(parts, { ...request, hyper }, { ...rest, done: { ...done, ...weaker } })
  } catch (error) {
    if (signal.aborted) throw error
    // What the first came to is known and stands.
    say(`That failed: ${asHoneError(error, 'STORE', 'The weaker LoRA could not be tried').message}`)
    return undefined
  }
}

/** The manifest, with the gate's numbers in it, makes the candidate exist; anything that fails before removes it. */
export async function judged(parts: RunParts, request: RunRequest, finished: Finished): Promise<JudgedCandidate> {
  const { slot, registry } = parts
  const { say, signal } = finished.voice
  const candidate = await registry.stage(finished.done, parts.base)
  try {
    const base = { id: 'v0', base: parts.base }
    const { golden, selection } = request
    const judgement = await gate({
      slot,
      base,
      candidate: candidate.version,
      heldOut: selection.heldOut,
      golden,
      ...(parts.teacher && { judge: parts.teacher }),
      signal,
      say,
    })
    stopIf(signal)
    await registry.publish(candidate, await manifestOf(parts, request, { ...finished, candidate, judgement }))
    return { candidate, report: judgement.report }
  } catch (error) {
    await registry.discard(candidate)
    throw error
  }
}

async function manifestOf(
  { base, registry }: RunParts,
  request: RunRequest,
  { dataset, candidate, done, judgement }: Finished & { readonly candidate: Candidate; readonly judgement: Judgement },
): Promise<VersionManifest> {
  const { hash, shuffledLabels, traces } = dataset.manifest
  const profile = request.selection.train.at(-1)?.profile
  return {
    format: 1,
    id: candidate.id,
    createdAt: request.startedAt.toISOString(),
    job: request.id,
    base: { path: base, sha256: await registry.baseSha256(base) },
    ...(done.model
      ? { model: { file: 'model.gguf', sha256: done.sha256, bytes: candidate.bytes } }
      : { lora: { file: 'lora.gguf', sha256: done.sha256, bytes: candidate.bytes } }),
    templateSha256: done.templateSha256,
    dataset: { path: dataset.path, hash, shuffledLabels },
    ...(profile ? { profile } : {}),
    ...origin(request),
    method: request.selection.method,
    seed: request.seed,
    hyper: { ...request.hyper },
    pairs: traces
      .filter(({ heldOut }) => !heldOut)
      .map(({ origin, chosen, rejected, people }) => ({ origin, chosen, rejected, people: [...people] })),
    gate: { verdict: judgement.report.verdict, checks: [...judgement.report.checks] },
    ...(judgement.probe ? { probe: judgement.probe } : {}),
  }
}

/** Whose feedback a version has learned from. */
function origin({ whose, selection }: RunRequest): Pick<VersionManifest, 'tenant' | 'pooled'> {
  if (whose) return { tenant: whose }
  const rows = [...selection.train, ...selection.unpaired]
  return rows.some(({ tenant }) => guestOf(tenant) !== '') ? { pooled: true } : {}
}
