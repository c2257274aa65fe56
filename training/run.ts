import { join } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { Engine, EngineSlot } from '../src/ports/engine.ts'
import type { GateReport, TrainOptions } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { TrainEvent, Trainer, TrainJob } from '../src/ports/trainer.ts'
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
import type { ServingVersions } from './serving.ts'

/** Everything a run works with. */
export interface RunParts {
  readonly store: Store
  readonly slot: EngineSlot
  readonly registry: Registry
  readonly trainer: Trainer
  readonly serving: ServingVersions
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  /** SHA-256 of the chat template that the engine serves with, where it tells. */
  readonly templateSha256?: string
  /** Hugging Face folder that training starts from. */
  readonly modelFolder: string
  /** Loads the engine that writes explained answers, for as long as `work` takes. Absent: the base model writes them. */
  readonly teacher?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly dataDir: string
}

/** One run: what was asked for, and by whom. */
export interface RunRequest {
  readonly id: string
  readonly by: string
  readonly selection: Selection
  readonly hyper: Hyper
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

/** How a run ended: the version it made, and the gate's word on it. */
export interface RunOutcome {
  readonly version: string
  readonly verdict: GateReport['verdict']
}

type Done = Extract<TrainEvent, { type: 'done' }>

/**
 * A training run from rows to a serving version, read top to bottom. Throws when anything fails or the signal aborts;
 * then there is no new version, and the old one goes on serving.
 */
export async function runTraining(parts: RunParts, asked: RunRequest, voice: RunVoice): Promise<RunOutcome> {
  const { selection, seed, options } = asked
  const request = options.shuffleLabels ? { ...asked, selection: shuffleVotes(selection, seed) } : asked
  const { trainer, registry, serving } = parts
  const { signal } = voice
  await trainer.prepare((line) => voice.say(line), signal)
  stopIf(signal)
  const dataset = await freezeRows(parts, request, voice)
  const work = join(parts.dataDir, 'jobs', request.id)
  try {
    const done = await train(parts, jobOf(parts, request, { dataset, work }), voice)
    const candidate = await registry.stage(done, parts.base)
    const { report } = await judgeAndPublish(parts, request, { dataset, candidate, done, voice })
    if (report.verdict === 'promote') {
      stopIf(signal)
      voice.say(`Putting ${candidate.id} into service.`)
      await serving.promote(candidate.id, request.by, `gate: ${report.verdict}`)
    }
    return { version: candidate.id, verdict: report.verdict }
  } finally {
    await removeOutput(parts.dataDir, request.id)
  }
}

/** Removes what a run wrote besides its log: all that is worth keeping is in the registry by now. */
export async function removeOutput(dataDir: string, id: string): Promise<void> {
  for (const name of ['output', 'output.work', 'output.draft']) await removeFolder(join(dataDir, 'jobs', id, name))
}

async function freezeRows(parts: RunParts, request: RunRequest, voice: RunVoice): Promise<Dataset> {
  const { selection, seed, options } = request
  const { signal } = voice
  voice.say('Asking the base model for its own answers, so that training keeps them.')
  const base = { id: 'v0', base: parts.base }
  const onProgress = quarters((done) => voice.say(`The base model's own answers: ${done} %.`))
  const replay = await makeReplay({ slot: parts.slot, base, selection, seed, signal, onProgress })
  const explained = selection.method === 'explain' ? { explained: await explain(parts, request, voice) } : {}
  const shuffledLabels = options.shuffleLabels === true
  await rememberHeldOut(parts.dataDir, selection.heldOutKeys)
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
function explain(parts: RunParts, { selection, seed }: RunRequest, { say, signal }: RunVoice): Promise<Explained> {
  const onProgress = quarters((done) => say(`Explained answers: ${done} %.`))
  const write = (teacher: Engine) => makeExplained({ teacher, selection, seed, signal, onProgress })
  say(`Asking ${parts.teacher ? 'the teacher' : 'the base model, for no teacher is named,'} for explained answers.`)
  return parts.teacher ? parts.teacher(write) : parts.slot.borrow({ id: 'v0', base: parts.base }, write)
}

function jobOf(
  { modelFolder }: RunParts,
  { id, selection, hyper, seed }: RunRequest,
  { dataset, work }: { readonly dataset: Dataset; readonly work: string },
): TrainJob {
  const output = join(work, 'output')
  return { id, method: selection.method, model: modelFolder, dataset: dataset.path, output, seed, hyper }
}

async function train({ trainer, templateSha256 }: RunParts, job: TrainJob, { step, signal }: RunVoice): Promise<Done> {
  let done: Done | undefined
  for await (const event of trainer.train(job, signal)) {
    step(event)
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

interface Finished {
  readonly dataset: Dataset
  readonly candidate: Candidate
  readonly done: Done
  readonly voice: RunVoice
}

/** The manifest, with the gate's numbers in it, makes the candidate exist; anything that fails before removes it. */
async function judgeAndPublish(parts: RunParts, request: RunRequest, finished: Finished): Promise<Judgement> {
  const { slot, registry } = parts
  const { candidate, voice } = finished
  const { say, signal } = voice
  try {
    const base = { id: 'v0', base: parts.base }
    const { golden, selection } = request
    const judgement = await gate({
      slot,
      base,
      candidate: candidate.version,
      heldOut: selection.heldOut,
      golden,
      signal,
      say,
    })
    stopIf(signal)
    await registry.publish(candidate, await manifestOf(parts, request, { ...finished, judgement }))
    voice.report(judgement.report)
    return judgement
  } catch (error) {
    await registry.discard(candidate)
    throw error
  }
}

async function manifestOf(
  { base, registry }: RunParts,
  request: RunRequest,
  { dataset, candidate, done, judgement }: Finished & { readonly judgement: Judgement },
): Promise<VersionManifest> {
  const { hash, shuffledLabels, traces } = dataset.manifest
  const profile = request.selection.train.at(-1)?.profile
  return {
    format: 1,
    id: candidate.id,
    createdAt: request.startedAt.toISOString(),
    job: request.id,
    base: { path: base, sha256: await registry.baseSha256(base) },
    lora: { file: 'lora.gguf', sha256: done.sha256, bytes: candidate.bytes },
    templateSha256: done.templateSha256,
    dataset: { path: dataset.path, hash, shuffledLabels },
    ...(profile ? { profile } : {}),
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
