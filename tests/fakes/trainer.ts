import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoneError } from '../../src/errors.ts'
import type { Trainer, TrainJob } from '../../src/ports/trainer.ts'

/** How a scripted training run goes. */
export interface TrainerScript {
  readonly steps?: number
  readonly templateSha256?: string
  /** Called before each step; throwing ends the run as a crash would. */
  readonly onStep?: (step: number, job: TrainJob) => void | Promise<void>
  readonly prepare?: () => Promise<void>
  /** Has the LoRA this alpha, in the GGUF as in PEFT's config; without it, the file is none that says. */
  readonly alpha?: number
}

/** A trainer that takes steps and writes a file of the right shape; it keeps the jobs it was given. */
export function fakeTrainer(script: TrainerScript = {}): Trainer & { readonly jobs: readonly TrainJob[] } {
  const { steps = 3, onStep } = script
  const jobs: TrainJob[] = []
  return {
    jobs,
    full: true,
    async prepare(say) {
      say('The training environment is ready.')
      await script.prepare?.()
    },
    async *train(job, signal) {
      jobs.push(job)
      yield { type: 'hello', device: 'cpu', versions: {} }
      for (let step = 1; step <= steps; step++) {
        await onStep?.(step, job)
        if (signal.aborted) throw new HoneError('CANCELLED', 'The training was stopped.')
        yield { type: 'step', step, of: steps, loss: 1 / step, margin: step, accuracy: 0.5 }
      }
      yield await write(job, script)
    },
  }
}

async function write(job: TrainJob, { templateSha256 = 'template', alpha }: TrainerScript) {
  const [kind, config, file] = job.method === 'full' ? (['model', 'config.json', 'model.gguf'] as const) : peftFiles
  const folder = join(job.output, kind)
  const gguf = join(job.output, file)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, config), JSON.stringify({ lora_alpha: alpha }))
  const bytes = Buffer.concat([
    Buffer.from(`${kind} of ${job.id}`),
    ...(alpha === undefined ? [] : [alphaField(alpha)]),
  ])
  await writeFile(gguf, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const made = kind === 'model' ? { model: folder } : { peft: folder }
  return { type: 'done' as const, ...made, gguf, sha256, templateSha256 }
}

/** Key, type and value as GGUF has them: a string with its length before it, 6 for a float, the float. */
export function alphaField(alpha: number): Buffer {
  const key = 'adapter.lora.alpha'
  const field = Buffer.alloc(8 + key.length + 8)
  field.writeBigUInt64LE(BigInt(key.length))
  field.write(key, 8)
  field.writeUInt32LE(6, 8 + key.length)
  field.writeFloatLE(alpha, 12 + key.length)
  return field
}

const peftFiles = ['peft', 'adapter_config.json', 'lora.gguf'] as const
