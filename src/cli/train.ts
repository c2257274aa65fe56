import { outcomeText, planText } from '../commands.ts'
import { HoneError } from '../errors.ts'
import type { GateReport, Learning, TrainOptions } from '../ports/learning.ts'
import type { Job } from '../ports/store.ts'
import { type Method, methods } from '../ports/trainer.ts'
import { createBar } from './bar.ts'
import type { Output } from './output.ts'
import type { Parts } from './parts.ts'

/** The flags of `hone train`, as cac gives them. */
export interface TrainFlags {
  readonly method?: string
  readonly dryRun?: boolean
  readonly learningRate?: number
  readonly epochs?: number
  readonly sftWeight?: number
  readonly seed?: number
}

/** Checks the flags. @throws HoneError INPUT naming the flag. */
export function trainOptions({ method, dryRun: _, ...numbers }: TrainFlags): TrainOptions {
  if (method !== undefined && !methods.includes(method as Method)) {
    throw new HoneError('INPUT', `--method is "${method}"; it must be one of ${methods.join(', ')}.`)
  }
  for (const [flag, value] of Object.entries(numbers)) {
    if (value !== undefined && !Number.isFinite(value)) throw new HoneError('INPUT', `--${flag} must be a number.`)
  }
  return { ...numbers, ...(method === undefined ? {} : { method: method as Method }) }
}

/** `hone train`: the dry run, or the whole way to a promoted or refused version, with progress. */
export async function train(flags: TrainFlags, parts: Parts, output: Output): Promise<void> {
  const learning = await parts.learning()
  const options = trainOptions(flags)
  const plan = await learning.plan(options)
  if (flags.dryRun || plan.refusal) {
    output.result(planText(plan), plan)
    if (plan.refusal) process.exitCode = 1
    return
  }
  output.say(planText(plan))
  process.once('SIGINT', () => void learning.cancel('cli'))
  const { id } = await learning.start('cli', options)
  const gate = await follow(learning, output)
  const job = await (await parts.store()).jobs.get(id)
  if (!job) throw new HoneError('STORE', `The job ${id} is gone.`)
  output.result(outcomeText(job, gate), { job, gate })
  if (job.state !== 'promoted') process.exitCode = 1
}

/** Shows a run as it goes; resolves with what the gate said, if it came that far. */
async function follow(learning: Learning, output: Output): Promise<GateReport | undefined> {
  const bar = createBar('Training')
  let gate: GateReport | undefined
  for await (const event of learning.watch()) {
    if (event.kind === 'say') output.say(event.text)
    if (event.kind === 'gate') gate = event.report
    if (event.kind === 'train' && event.event.type === 'step') {
      const { step, of, loss, accuracy } = event.event
      bar.update(
        step,
        of,
        `loss ${loss.toFixed(3)}${accuracy === undefined ? '' : ` accuracy ${Math.round(accuracy * 100)} %`}`,
      )
      if (step === of) bar.stop()
    }
  }
  bar.stop()
  return gate
}

/** `hone versions`. */
export async function versions(parts: Parts, output: Output): Promise<void> {
  const all = await (await parts.learning()).versions()
  const lines = all.map(
    ({ id, serving, createdAt, pairs, bytes, gate }) =>
      `${serving ? '→' : ' '} ${id.padEnd(6)} ${createdAt.toISOString().slice(0, 16)}  ${pairs.length} pairs  ${Math.round(bytes / 1024)} KB  ${gate?.verdict ?? ''}`,
  )
  output.result(lines.join('\n') || 'Only the base model so far.', all)
}

/** `hone promote V` and `hone rollback`. */
export async function promote(version: string | undefined, parts: Parts, output: Output): Promise<void> {
  const learning = await parts.learning()
  if (version !== undefined) await learning.promote(version, 'cli')
  const serving = version ?? (await learning.rollback('cli'))
  output.result(`Version ${serving} serves now.`, { serving })
}

/** One line a job, for `hone status`. */
export function jobLine({ id, state, startedAt, by }: Job): string {
  return `${id}  ${startedAt.toISOString().slice(0, 16)}  ${state}  by ${by}`
}
