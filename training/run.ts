import { join, resolve } from 'node:path'
import { HoneError } from '../src/errors.ts'
import { guestOf } from '../src/id.ts'
import type { Engine, TenantSlot } from '../src/ports/engine.ts'
import type { GateReport, MemoryPlan, TrainOptions } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { Fit, Method, TrainEvent, Trainer, TrainJob } from '../src/ports/trainer.ts'
import { type Dataset, type Explained, freeze, shuffleVotes } from './dataset.ts'
import { makeExplained } from './explain.ts'
import { removeFolder } from './files.ts'
import { gate, type Judgement } from './gate.ts'
import { rememberHeldOut } from './held-out.ts'
import type { VersionManifest } from './manifest.ts'
import { type Golden, quarters, stopIf } from './measure.ts'
import type { Hyper } from './recipes.ts'
import type { Candidate, Registry } from './registry.ts'
import { makeReplay } from './replay.ts'
import type { Selection } from './select.ts'
import { folderOf, type Whose } from './tenants.ts'
import { takeUnfinished } from './unfinished.ts'
import { lostTooMuch, weaken, weakerBy } from './weaken.ts'

/** Everything a run works with. */
export interface RunParts {
  readonly store: Store
  /** What serves whom the run is for. */
  readonly slot: TenantSlot
  readonly registry: Registry
  readonly trainer: Trainer
  /** Puts what passed the gate into service: before a share of the threads, or before all. */
  readonly serve: (version: string, by: string, why: string) => Promise<'canary' | 'promoted'>
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  /** SHA-256 of the chat template that the engine serves with, where it tells. */
  readonly templateSha256?: string
  /** Hugging Face folder that training starts from. */
  readonly modelFolder: string
  /**
   * Loads an engine that knows better, for as long as `work` takes: it writes explained answers (without it, the base
   * model does) and judges fresh ones (without it, rules alone do).
   */
  readonly teacher?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly dataDir: string
}

/** One run: what was asked for, and by whom. */
export interface RunRequest {
  readonly id: string
  readonly by: string
  readonly whose?: Whose
  readonly selection: Selection
  readonly hyper: Hyper
  readonly fit: Fit
  /** Said at the start, where it is known. */
  readonly memory?: MemoryPlan
  readonly golden: readonly Golden[]
  readonly seed: number
  readonly options: TrainOptions
  readonly startedAt: Date
}

/** Where a run tells what happens. */
export interface RunVoice {
  say(text: string): void
  step(event: TrainEvent): void
  report(report: GateReport): void
  readonly signal: AbortSignal
}

/** How a run ended: the version it made, and what became of it. */
export interface RunOutcome {
  readonly version: string
  readonly state: 'canary' | 'promoted' | 'held' | 'refused'
}

/** Work that a kill may cost; a checkpoint of a LoRA is small, one of all weights and what Adam knows of them is not. */
const checkpointSeconds = (method: Method) => (method === 'full' ? 600 : 60)

/** What a trainer said of what it made. */
export type Done = Extract<TrainEvent, { type: 'done' }>
/** A LoRA that can be served. */
export type MadeLora = Done & { readonly gguf: string }

/**
 * A training run from rows to a serving version, read top to bottom. Throws when anything fails or the signal aborts;
 * then there is no new version, and the old one goes on serving.
 */
export async function runTraining(parts: RunParts, asked: RunRequest, voice: RunVoice): Promise<RunOutcome> {
  const { selection, seed, options } = asked
  const request = options.shuffleLabels ? { ...asked, selection: shuffleVotes(selection, seed) } : asked
  const { trainer } = parts
  const { signal } = voice
  if (request.memory) voice.say(request.memory.summary)
  await trainer.prepare((line) => voice.say(line), signal)
  stopIf(signal)
  const dataset = await freezeRows(parts, request, voice)
  const work = join(parts.dataDir, 'jobs', request.id)
  try {
    await takeUnfinished(parts.dataDir, join(work, 'output'))
    const done = loraOf(await train(parts, jobOf(parts, request, { dataset, work }), voice))
    const first = await judged(parts, request, { dataset, done, voice })
    const { candidate, report } = (await onceMore(parts, request, { dataset, done, voice }, first)) ?? first
    if (report.verdict !== 'promote')
      return { version: candidate.id, state: report.verdict === 'hold' ? 'held' : 'refused' }
    stopIf(signal)
    voice.say(`Putting ${candidate.id} into service.`)
    const state = await parts.serve(candidate.id, request.by, `gate: ${report.verdict}`)
    return { version: candidate.id, state }
  } finally {
    await removeOutput(parts.dataDir, request.id)
  }
}

/** Removes what a run wrote besides its log: all that is worth keeping is in the registry by now. */
export async function removeOutput(dataDir: string, id: string): Promise<void> {
  for (const name of ['output', 'output.work', 'output.draft', 'output.weaker', 'compared'])
    await removeFolder(join(dataDir, 'jobs', id, name))
}

/** The base's own answers, a teacher's where the method wants them, and the rows, in a dataset that never changes. */
export async function freezeRows(parts: RunParts, request: RunRequest, voice: RunVoice): Promise<Dataset> {
  const { selection, seed, options } = request
  const { signal } = voice
  voice.say('Asking the base model for its own answers, so that training keeps them.')
  const base = { id: 'v0', base: parts.base }
  const onProgress = quarters((done) => voice.say(`The base model's own answers: ${done} %.`))
  const replay = await makeReplay({ slot: parts.slot, base, selection, seed, signal, onProgress })
  const explained = selection.method === 'explain' ? { explained: await explain(parts, request, voice) } : {}
  const shuffledLabels = options.shuffleLabels === true
  await rememberHeldOut(folderOf(parts.dataDir, request.whose), selection.heldOutKeys)
  const dataset = await freeze(join(parts.dataDir, 'datasets'), {
    selection,
    replay,
    seed,
    shuffledLabels,
    ...explained,
  })
  const { pairs, heldOut } = dataset.manifest.rows
  voice.say(
    `Dataset ${dataset.manifest.hash.slice(0, 8)}: ${pairs} pairs, ${heldOut} held out, ${replay.length} replay.`,
  )
  return dataset
}

/** The explained answers of the operator's teacher, or of the base model where none is named. */
export function explain(
  parts: RunParts,
  { selection, seed }: Pick<RunRequest, 'selection' | 'seed'>,
  { say, signal }: Pick<RunVoice, 'say' | 'signal'>,
): Promise<Explained> {
  const onProgress = quarters((done) => say(`Explained answers: ${done} %.`))
  const write = (teacher: Engine) => makeExplained({ teacher, selection, seed, signal, onProgress })
  say(`Asking ${parts.teacher ? 'the teacher' : 'the base model, for no teacher is named,'} for explained answers.`)
  return parts.teacher ? parts.teacher(write) : parts.slot.borrow({ id: 'v0', base: parts.base }, write)
}

/** What the trainer is told. */
export function jobOf(
  { modelFolder, base }: RunParts,
  { id, selection, hyper, fit, seed }: Pick<RunRequest, 'id' | 'selection' | 'hyper' | 'fit' | 'seed'>,
  { dataset, work }: { readonly dataset: Dataset; readonly work: string },
): TrainJob {
  const job = { id, method: selection.method, model: modelFolder, dataset: dataset.path, output: join(work, 'output') }
  const gguf = selection.method === 'full' ? { gguf: resolve(base) } : {}
  return { ...job, ...gguf, seed, hyper, fit, checkpointSeconds: checkpointSeconds(selection.method) }
}

/**
 * Trains what the job asks for and answers where it lies.
 *
 * @throws HoneError TRAINER_FAILED; LORA_MISMATCH for another chat template than the engine's; CANCELLED.
 */
export async function train(
  { trainer, templateSha256 }: RunParts,
  job: TrainJob,
  { step, say, signal }: Omit<RunVoice, 'report'>,
): Promise<Done> {
  let done: Done | undefined
  for await (const event of trainer.train(job, signal)) {
    step(event)
    if (event.type === 'adjust') say(event.why)
    if (event.type === 'done') done = event
    if (event.type === 'error') throw new HoneError('TRAINER_FAILED', event.message, { fields: { code: event.code } })
  }
  stopIf(signal)
  if (!done) throw new HoneError('TRAINER_FAILED', 'The trainer ended without a result.')
  if (templateSha256 !== undefined && templateSha256 !== done.templateSha256) {
    const where = `The chat template in ${job.model} is not the one that the engine serves with`
    const todo = `copy the text of tokenizer.chat_template from the GGUF into that folder's chat_template.jinja`
    throw new HoneError('LORA_MISMATCH', `${where}: ${todo}, or convert the GGUF from that folder again.`)
  }
  return done
}

/** @throws HoneError TRAINER_FAILED where there is no GGUF, which every engine of Hone's needs. */
export function loraOf(done: Done): MadeLora {
  const { gguf } = done
  if (gguf === undefined) throw new HoneError('TRAINER_FAILED', 'The trainer made no GGUF.')
  return { ...done, gguf }
}

interface Finished {
  readonly dataset: Dataset
  readonly done: MadeLora
  readonly voice: RunVoice
}
interface JudgedCandidate {
  readonly candidate: Candidate
  readonly report: GateReport
}

/**
 * A LoRA that learned what people want and lost too much of the base is tried once more, nearer to the base: another candidate
 * before the same gate. Nothing where that isn't what was wrong.
 */
async function onceMore(
  parts: RunParts,
  request: RunRequest,
  { done, ...rest }: Finished,
  { candidate, report }: JudgedCandidate,
): Promise<JudgedCandidate | undefined> {
  const { lora } = candidate.version
  if (!lora || !lostTooMuch(report)) return undefined
  const own = { gguf: lora.path, ...(done.peft && { peft: join(candidate.folder, 'peft') }) }
  const weaker = await weaken(own, weakerBy, join(parts.dataDir, 'jobs', request.id, 'output.weaker'))
  if (!weaker) return undefined
  const lost = report.checks.flatMap(({ id, pass }) => (pass ? [] : [id])).join(', ')
  rest.voice.say(
    `${candidate.id} learned it and lost too much besides (${lost}). Once more, at ${weakerBy} of its strength.`,
  )
  const hyper = { ...request.hyper, strength: request.hyper.strength * weakerBy }
  return judged(parts, { ...request, hyper }, { ...rest, done: { ...done, ...weaker } })
}

/** The manifest, with the gate's numbers in it, makes the candidate exist; anything that fails before removes it. */
async function judged(parts: RunParts, request: RunRequest, finished: Finished): Promise<JudgedCandidate> {
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
    finished.voice.report(judgement.report)
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
