import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot, starterDir } from '../src/cli/model.ts'

/** The models that methods are compared on, and the settings that make Hone serve and train each. */
export const models = ['starter', 'qwen3'] as const
export type ModelName = (typeof models)[number]

/** The model of that name, or all of them. Throws for a name that is none. */
export function modelsNamed(wanted: string | undefined): readonly ModelName[] {
  const found = models.filter((name) => !wanted || name === wanted)
  if (found.length === 0) throw new Error(`There is no model ${wanted}. Known: ${models.join(', ')}.`)
  return found
}

/** What the benches keep between runs; it may be removed, and is made again then. */
export const cache = join(packageRoot, '.cache', 'bench')

const minutes = 20

/** Settings for one of the models; the second family is made where it isn't there yet. */
export async function settingsOf(
  model: ModelName,
  say: (text: string) => void,
): Promise<Readonly<Record<string, string>>> {
  if (model === 'starter') return {}
  const folder = await smallQwen(say)
  return { HONE_MODEL: join(folder, 'qwen3.gguf'), HONE_TRAIN_MODEL: folder }
}

/**
 * A Qwen3 as small as the starter, with another chat template: the starter's matrices, trained for some minutes to read
 * on under that architecture's norms and that template. A stopped training goes on.
 */
async function smallQwen(say: (text: string) => void): Promise<string> {
  const folder = join(cache, 'qwen3', 'model')
  if (await isThere(join(folder, 'embedder.gguf'))) return folder
  say(`making a small Qwen3, ${minutes} minutes`)
  await mkdir(join(cache, 'qwen3'), { recursive: true })
  await python('torch.distributed.run', [
    ...['--nproc-per-node', '1', 'train_starter.py', '--family', 'qwen3', '--weights', starterDir],
    ...['--work', join(cache, 'qwen3', 'training'), '--out', folder, '--minutes', String(minutes), '--count', '40'],
  ])
  // Last: a folder without it is not whole. The same passages are found for both models.
  await copyFile(join(starterDir, 'embedder.gguf'), join(folder, 'embedder.gguf'))
  return folder
}

/** Runs a module of the training environment in the folder of our scripts. Its output goes to stderr. */
export async function python(module: string, args: readonly string[]): Promise<void> {
  const cwd = join(packageRoot, 'training', 'python')
  const bin = join(packageRoot, '.venv', 'bin', 'python')
  const child = spawn(bin, ['-m', module, ...args], { cwd, stdio: ['ignore', 2, 2] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`python -m ${module} ended with ${code}; \`npm test\` makes its environment.`)
}

/** True when there is such a file or folder. */
export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
