import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asHoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { TrainEvent, Trainer, TrainJob } from '../src/ports/trainer.ts'
import { cancelled, type Ended, failure, follow } from './child.ts'
import { machineOf } from './machine.ts'
import { stepDown } from './memory.ts'
import { lockFile, preparePython, venvFolder, venvPython } from './python-env.ts'

/** What {@link pythonTrainer} works with. */
export interface PythonTrainerOptions {
  /** Jobs and their logs are kept in `<dataDir>/jobs/<id>/`. */
  readonly dataDir: string
  readonly log: Logger
  /** Python that makes the environment. Absent: the first good one on the PATH. */
  readonly python?: string
  /** Folder of the virtual environment. Absent: see `venvFolder`. */
  readonly venv?: string
  /** Lock file of the environment. Absent: the one that Hone comes with. */
  readonly requirements?: string
  /** Processes that share a run. 0 or absent: one for each GPU, one on the CPU. */
  readonly processes?: number
  /** How long a stopped run may take to save its checkpoint before it is killed. */
  readonly graceMs?: number
}

/** Path of a script of the Python trainer. */
export const pythonScript = (name: string): string => fileURLToPath(new URL(`python/${name}`, import.meta.url))

/**
 * The trainer that runs `training/python/train.py` in a process group of its own. The child ends when this process
 * does, however it ends: it holds the other end of the child's stdin. One that ran out of memory, or that the system
 * killed for it, goes on from its last checkpoint with less at once.
 *
 * @example
 * const trainer = pythonTrainer({ dataDir, log })
 * await trainer.prepare(say)
 * for await (const event of trainer.train(job, signal)) show(event)
 */
export function pythonTrainer(options: PythonTrainerOptions): Trainer {
  const venv = async () => options.venv ?? (await venvFolder(options.dataDir))
  return {
    full: true,
    prepare: async (say, signal) => preparePythonOf(options, await venv(), say, signal),
    machine: async () => machineOf(await venv(), options.requirements ?? lockFile, options.processes),
    async *train(job, signal) {
      yield* runJob(job, { ...options, venv: await venv() }, signal)
    },
  }
}

/** Makes the environment that the options name. */
export async function preparePythonOf(
  { python, requirements = lockFile }: PythonTrainerOptions,
  venv: string,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await preparePython({ venv, requirements, ...(python ? { python } : {}) }, say, signal)
}

/** Writes `job.json` for a child to read; answers where it is, and where the child's log goes. */
export async function writeJob(job: TrainJob, dataDir: string): Promise<{ jobPath: string; logPath: string }> {
  const folder = join(dataDir, 'jobs', job.id)
  const paths = { jobPath: join(folder, 'job.json'), logPath: join(folder, 'train.log') }
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(paths.jobPath, `${JSON.stringify(job, undefined, 2)}\n`)
    return paths
  } catch (error) {
    throw asHoneError(error, 'PYTHON', 'The trainer could not be started')
  }
}

type Running = PythonTrainerOptions & { readonly venv: string }

async function* runJob(job: TrainJob, options: Running, signal: AbortSignal): AsyncGenerator<TrainEvent> {
  let fit = job.fit
  let published = false
  try {
    while (true) {
      const { ended, logPath } = yield* runOnce({ ...job, fit }, options, signal)
      published = ended.last?.type === 'done'
      if (signal.aborted) throw cancelled()
      if (ended.code === 0 && ended.last?.type === 'done') return void (yield ended.last)
      const less = ranOut(ended) ? stepDown(job.method, fit) : undefined
      if (!less) throw await failure(ended, logPath)
      yield { type: 'adjust', ...less.fit, why: `The run ran out of memory. It goes on with ${less.change}.` }
      fit = less.fit
    }
  } catch (error) {
    await removeLeftovers(job, { cancelled: signal.aborted, published })
    throw error
  }
}

async function* runOnce(
  job: TrainJob,
  { dataDir, venv, log, graceMs = 15_000 }: Running,
  signal: AbortSignal,
): AsyncGenerator<TrainEvent, { readonly ended: Ended; readonly logPath: string }> {
  if (signal.aborted) throw cancelled()
  const { jobPath, logPath } = await writeJob(job, dataDir)
  const args = ['-u', pythonScript('train.py'), jobPath, '--follow-stdin']
  const started = (pid: number | undefined) => log.info('trainer.start', { job: job.id, method: job.method, pid })
  const ended = yield* follow({ file: venvPython(venv), args, logPath, graceMs, started }, signal)
  log.info('trainer.end', { job: job.id, code: ended.code, by: ended.signal })
  return { ended, logPath }
}

/** Linux ends the process that needs too much without a word; nobody else kills a trainer outright. */
function ranOut({ last, signal }: Ended): boolean {
  return signal === 'SIGKILL' || (last?.type === 'error' && last.code === 'OUT_OF_MEMORY')
}

/** A LoRA that nobody will hear of goes, whole or not; a checkpoint stays where the run may go on later. */
async function removeLeftovers(
  { output }: TrainJob,
  { cancelled, published }: { readonly cancelled: boolean; readonly published: boolean },
): Promise<void> {
  const paths = [`${output}.draft`, ...(cancelled ? [] : [`${output}.work`]), ...(published ? [output] : [])]
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
}
