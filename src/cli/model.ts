import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'

/** Root of the package: the folder that package.json is in, from sources and from `dist/` alike. */
export const packageRoot = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder
  return findRoot(dirname(folder))
}

export const starterDir = join(packageRoot, 'training', 'starter')

/** The model that is served, and the folder that training starts from. */
export interface ModelChoice {
  /** Path of a GGUF, or a name on a server. */
  readonly base: string
  /** Hugging Face folder of the same weights; absent: this model can be served but not trained. */
  readonly trainFolder?: string
  readonly starter: boolean
}

/**
 * Which model the configuration means.
 *
 * @throws HoneError MODEL_FILE when the file is not there.
 */
export function chooseModel({ model, trainModel, engineUrl }: Config): ModelChoice {
  const trained = trainModel ? { trainFolder: resolve(trainModel) } : {}
  if (trainModel && !existsSync(join(trainModel, 'config.json'))) {
    throw new HoneError(
      'CONFIG',
      `HONE_TRAIN_MODEL is ${trainModel}, which is no Hugging Face folder (it has no config.json).`,
    )
  }
  if (engineUrl) {
    if (!model)
      throw new HoneError(
        'CONFIG',
        'HONE_ENGINE_URL is set but HONE_MODEL is not: name the model that the server offers.',
      )
    return { base: model, starter: false, ...trained }
  }
  const base = resolve(model || join(starterDir, 'starter.gguf'))
  if (!existsSync(base)) throw new HoneError('MODEL_FILE', `There is no model file at ${base}.`)
  return model ? { base, starter: false, ...trained } : { base, starter: true, trainFolder: starterDir }
}

/** What the page and the terminal say while the starter model serves. */
export const starterNotice =
  'Starter model: for trying Hone out. It reads short passages and knows nothing else. `hone models pull` fetches a real one.'
