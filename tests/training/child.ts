import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TrainJob } from '../../src/ports/trainer.ts'
import { isReady, lockFile, venvFolder, venvPython } from '../../training/python-env.ts'

const run = promisify(execFile)

/** The folder of the Python trainer. */
export const pythonFolder = fileURLToPath(new URL('../../training/python', import.meta.url))

/** Python of the training environment, which `npm test` makes before any test runs. */
export async function trainingPython(): Promise<string> {
  const venv = await venvFolder('unused')
  if (!(await isReady({ venv, requirements: lockFile })))
    throw new Error(`${venv} is not ready; run \`npm test\` once.`)
  return venvPython(venv)
}

/** A folder with a random two-layer model and a few pairs: what a real run needs at least. */
export async function tinyFolder(method = 'dpo'): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hone-trainer-'))
  const script = `
import sys; from pathlib import Path; from tiny import write_dataset, write_model
folder = Path(sys.argv[1]); write_model(folder / "model"); write_dataset(folder / "data", sys.argv[2])`
  await run(await trainingPython(), ['-c', script, path, method], { cwd: join(pythonFolder, 'tests') })
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A job on a {@link tinyFolder}. */
export function tinyJob(folder: string, id: string, epochs = 1): TrainJob {
  return {
    id,
    method: 'dpo',
    model: join(folder, 'model'),
    dataset: join(folder, 'data'),
    output: join(folder, id),
    seed: 7,
    hyper: {
      learningRate: 1e-3,
      epochs,
      batchSize: 4,
      beta: 0.1,
      sftWeight: 0.5,
      labelSmoothing: 0,
      strength: 1,
      rank: 4,
      alpha: 8,
      targets: 'all-linear',
      maxLength: 128,
    },
    fit: { microBatch: 4, checkpointing: false },
    checkpointSeconds: 60,
  }
}

/** True while a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
