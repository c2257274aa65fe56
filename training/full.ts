import { stat, statfs } from 'node:fs/promises'
import { HoneError } from '../src/errors.ts'
import type { Method, Trainer } from '../src/ports/trainer.ts'
import type { ModelShape } from './model-shape.ts'

/** Bytes a weight: three checkpoints (two kept, one being written) of the weights and Adam's two moments. */
const checkpointBytes = 3 * 12
/** Bytes a weight of what is kept: float32 safetensors, and a GGUF that is at most as large. */
const keptBytes = 4 + 4

/** What full fine-tuning makes of the disk, in words, or why it can't run here. Other methods need neither. */
export interface FullPlan {
  readonly note?: string
  readonly refusal?: HoneError
}

/**
 * Whether every weight can be trained here: the model that serves must be a file, the trainer must be able to, and the disk
 * must hold checkpoints and a whole model.
 *
 * @param base the model that serves: a GGUF's path or a server's model name
 * @example await planFull('full', { base, trainer, dataDir, shape }) // { note: 'A whole model: …' }
 */
export async function planFull(
  method: Method,
  on: { readonly base: string; readonly trainer: Trainer; readonly dataDir: string; readonly shape: ModelShape },
): Promise<FullPlan> {
  if (method !== 'full') return {}
  const { base, trainer, dataDir, shape } = on
  const isFile = await stat(base).then(
    (found) => found.isFile(),
    () => false,
  )
  if (!isFile) {
    const why = `a server can't be given it while it runs, and ${base} is served by one`
    return refused('CONFIG', `Full fine-tuning makes a model of its own: ${why}. Serve in process, or train with sft.`)
  }
  if (!trainer.full) {
    return refused('CONFIG', 'This trainer makes LoRAs alone: leave HONE_TRAIN_COMMAND empty, or train with sft.')
  }
  const { bavail, bsize } = await statfs(dataDir)
  const mb = (bytes: number) => Math.ceil(bytes / 1e6)
  const needed = (checkpointBytes + keptBytes) * shape.parameters
  const facts = `about ${mb(needed)} MB of disk while it trains, at most ${mb(keptBytes * shape.parameters)} MB after`
  const free = `${mb(bavail * bsize)} MB are free`
  if (needed <= bavail * bsize) return { note: `A whole model: ${facts}; ${free}.` }
  return refused('DISK_FULL', `A whole model does not fit on the disk of ${dataDir}: it needs ${facts}, and ${free}.`)
}

function refused(code: 'CONFIG' | 'DISK_FULL', message: string): FullPlan {
  return { refusal: new HoneError(code, message) }
}

/** A version as far as it decides what is kept. */
interface Kept {
  readonly id: string
  readonly model?: { readonly pruned?: true | undefined } | undefined
  readonly gate: { readonly verdict: string }
  readonly forgotten?: true | undefined
}

/**
 * Versions whose models go to save space. What serves stays, and what a rollback would bring back, and of the others that
 * may serve the newest `keep`. Pure.
 *
 * @param oldestFirst all versions
 */
export function toPrune(
  oldestFirst: readonly Kept[],
  { standing, keep }: { readonly standing: readonly (string | undefined)[]; readonly keep: number },
): readonly string[] {
  const models = oldestFirst.filter(({ id, model }) => model && !model.pruned && !standing.includes(id))
  const usable = models.filter(({ gate, forgotten }) => gate.verdict !== 'refuse' && !forgotten)
  const kept = new Set(keep === 0 ? [] : usable.slice(-keep))
  return models.filter((version) => !kept.has(version)).map(({ id }) => id)
}
