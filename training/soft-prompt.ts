import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { EngineSlot } from '../src/ports/engine.ts'
import type { Trainer } from '../src/ports/trainer.ts'
import { readDataset } from './dataset.ts'
import { removeFolder, syncFolder, writeDurably } from './files.ts'
import type { RunParts, RunRequest, RunVoice } from './request.ts'
import { freezeRows, jobOf, removeOutput, train } from './run.ts'
import type { RunEnd } from './runner.ts'
import { takeUnfinished } from './unfinished.ts'

const folderOf = (dataDir: string): string => join(dataDir, 'soft-prompts')
const aboutName = 'hone.json'

/**
 * Why a soft prompt is not trained: nothing here could load it, or the operator's own trainer makes LoRAs alone. Undefined
 * where the engine that serves can, or where it is wanted for use elsewhere.
 */
export async function whyNoSoftPrompt({
  slot,
  trainer,
  wantedElsewhere,
}: {
  readonly slot: EngineSlot
  readonly trainer: Pick<Trainer, 'full'>
  readonly wantedElsewhere: boolean
}): Promise<HoneError | undefined> {
  if (!trainer.full)
    return new HoneError('CONFIG', 'This trainer makes LoRAs alone: leave HONE_TRAIN_COMMAND empty, or train with sft.')
  if (wantedElsewhere || (await slot.use(async (engine) => engine.softPrompt === true))) return undefined
  return new HoneError(
    'ENGINE_MISSING',
    'The engine that serves can’t load a soft prompt, and no engine of Hone’s can: llama.cpp has no file for one, vLLM took ' +
      'its prompt adapters out in 0.10, and OpenAI-style servers never had any. Transformers with PEFT can, and so can a host’s ' +
      'own engine that says `softPrompt: true`. `hone train --method soft-prompt --export` trains one all the same and keeps ' +
      'its PEFT folder for use there. For what serves here, train a LoRA or run `hone tune-prompt`.',
  )
}

/**
 * Prompt tuning through the same dataset, trainer, progress and checkpoints as any method. It ends with a PEFT folder at
 * `<data>/soft-prompts/<job>`: no version, for nothing here proves or serves it.
 */
export async function trainSoftPrompt(parts: RunParts, request: RunRequest, voice: RunVoice): Promise<RunEnd> {
  const { trainer, dataDir } = parts
  if (request.memory) voice.say(request.memory.summary)
  await trainer.prepare(voice.say, voice.signal)
  const dataset = await freezeRows(parts, request, voice)
  const work = join(dataDir, 'jobs', request.id)
  try {
    await takeUnfinished(dataDir, join(work, 'output'))
    const { sha256, templateSha256 } = await train(parts, jobOf(parts, request, { dataset, work }), voice)
    const about = { dataset: dataset.path, sha256, templateSha256, seed: request.seed, hyper: request.hyper }
    const peft = await keep(dataDir, request.id, { made: join(work, 'output', 'peft'), about })
    voice.say(`The soft prompt is in ${peft}.`)
    return { state: 'kept', detail: { peft } }
  } finally {
    await removeOutput(dataDir, request.id)
  }
}

async function keep(
  dataDir: string,
  id: string,
  { made, about }: { readonly made: string; readonly about: { readonly dataset: string } },
): Promise<string> {
  const place = join(folderOf(dataDir), id)
  try {
    await mkdir(folderOf(dataDir), { recursive: true })
    await writeDurably(join(made, aboutName), `${JSON.stringify(about, undefined, 2)}\n`)
    await rename(made, place)
    await syncFolder(folderOf(dataDir))
    return place
  } catch (error) {
    throw asHoneError(error, 'STORE', 'The soft prompt could not be kept')
  }
}

/** Removes soft prompts whose dataset is there no more: somebody whose rows it had was forgotten. */
export async function forgetSoftPrompts(dataDir: string): Promise<void> {
  for (const name of await readdir(folderOf(dataDir)).catch(() => [])) {
    const place = join(folderOf(dataDir), name)
    const about = await readFile(join(place, aboutName), 'utf8').catch(() => '{}')
    const { dataset = '' } = JSON.parse(about) as { readonly dataset?: string }
    if (!(await readDataset(dataset).catch(() => undefined))) await removeFolder(place)
  }
}
