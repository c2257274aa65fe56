import { mkdir, rm } from 'node:fs/promises'
import { HoneError } from '../src/errors.ts'
import type { TrainEvent, Trainer, TrainJob } from '../src/ports/trainer.ts'
import { cancelled, failure, follow } from './child.ts'
import { venvFolder, venvPython } from './python-env.ts'
import { type PythonTrainerOptions, preparePythonOf, pythonScript, writeJob } from './trainer.ts'

/** What {@link externalTrainer} works with. */
export interface ExternalTrainerOptions extends PythonTrainerOptions {
  /** Command line of the operator's own trainer; see {@link externalTrainer} for what it is given. */
  readonly command: string
}

/**
 * The operator's own trainer in place of ours. The shell runs `<command> ROWS RESULT JOB`: the frozen dataset's
 * `train.jsonl` (TRL's conversational format of the method), an empty folder for the result, and `job.json` with the
 * model's folder and our settings. It may tell its steps as JSON lines on stdout, like ours; other lines are ignored. It
 * ends with code 0 once `RESULT` (or `RESULT/peft`) is a PEFT folder with safetensors, or `RESULT` has one GGUF LoRA.
 * What it made is checked and converted by `adopt.py`, and the gate judges it like any other.
 *
 * @example externalTrainer({ command: 'python my_train.py', dataDir, log })
 */
export function externalTrainer(options: ExternalTrainerOptions): Trainer {
  const venv = async () => options.venv ?? (await venvFolder(options.dataDir))
  return {
    prepare: async (say, signal) => preparePythonOf(options, await venv(), say, signal),
    async *train(job, signal) {
      const result = `${job.output}.work`
      try {
        yield* runExternal(job, result, { ...options, venv: await venv() }, signal)
      } catch (error) {
        for (const path of [`${job.output}.draft`, job.output]) await rm(path, { recursive: true, force: true })
        throw error
      } finally {
        await rm(result, { recursive: true, force: true })
      }
    },
  }
}

async function* runExternal(
  job: TrainJob,
  result: string,
  { command, venv, dataDir, log, graceMs = 15_000 }: ExternalTrainerOptions & { readonly venv: string },
  signal: AbortSignal,
): AsyncGenerator<TrainEvent> {
  const { jobPath, logPath } = await writeJob(job, dataDir)
  await rm(result, { recursive: true, force: true })
  await mkdir(result, { recursive: true })
  const watched = (name: string) => (pid: number | undefined) => log.info(name, { job: job.id, pid })
  const shell = inShell(command, [`${job.dataset}/train.jsonl`, result, jobPath])
  const made = yield* follow({ ...shell, logPath, graceMs, started: watched('trainer.start') }, signal)
  log.info('trainer.end', { job: job.id, code: made.code, by: made.signal })
  if (signal.aborted) throw cancelled()
  if (made.code !== 0 || made.last?.type === 'error') throw await failure(made, logPath)
  const args = ['-u', pythonScript('adopt.py'), jobPath, result, '--follow-stdin']
  const adopt = { file: venvPython(venv), args, logPath, graceMs, started: watched('trainer.adopt') }
  const adopted = yield* follow(adopt, signal)
  if (signal.aborted) throw cancelled()
  if (adopted.code !== 0 || adopted.last?.type !== 'done') throw await failure(adopted, logPath)
  yield adopted.last
}

/** The operator's command line with our paths after it, none of which the shell reads as anything but one word. */
function inShell(command: string, paths: readonly string[]): { readonly file: string; readonly args: string[] } {
  if (process.platform !== 'win32') return { file: '/bin/sh', args: ['-c', `${command} "$@"`, 'hone', ...paths] }
  const strange = paths.find((path) => /["%]/.test(path))
  if (strange) throw new HoneError('CONFIG', `HONE_TRAIN_COMMAND can't be given ${strange}: it has a " or % in it.`)
  return { file: 'cmd.exe', args: ['/d', '/s', '/c', `${command} ${paths.map((path) => `"${path}"`).join(' ')}`] }
}
