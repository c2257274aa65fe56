import { join, resolve } from 'node:path'
import { HoneError } from '../src/errors.ts'
import type { Engine } from '../src/ports/engine.ts'
import type { Method, TrainJob } from '../src/ports/trainer.ts'
import { judged, onceMore } from './candidate.ts'
import { type Dataset, type Explained, freeze, shuffleVotes } from './dataset.ts'
import { makeExplained } from './explain.ts'
import { removeFolder } from './files.ts'
import { rememberHeldOut } from './held-out.ts'
import { quarters, stopIf } from './measure.ts'
import { makeReplay } from './replay.ts'
import type { Done, MadeLora, RunOutcome, RunParts, RunRequest, RunVoice } from './request.ts'
import { folderOf } from './tenants.ts'
import { takeUnfinished } from './unfinished.ts'

/** Work that a kill may cost; a checkpoint of a LoRA is small, one of all weights and what Adam knows of them is not. */
const checkpointSeconds = (method: Method) => (method === 'full' ? 600 : 60)

/**
 * A training run from rows to a serving version, read top to bottom. Throws when anything fails or the signal aborts;
 * then nothing new serves, and the old version goes on.
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
    voice.report(report)
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
