import { planText } from '../commands.ts'
import { counted } from '../counted.ts'
import { HoneError } from '../errors.ts'
import { outcomeText } from '../outcome.ts'
import type { GateReport, RunEvent, TrainOptions } from '../ports/learning.ts'
import type { Job } from '../ports/store.ts'
import { type MethodChoice, methodChoices } from '../ports/trainer.ts'
import { createBar } from './bar.ts'
import type { Desk, OfTenant } from './desk.ts'
import type { Output } from './output.ts'

/** The flags of `hone train`, as cac gives them. */
export interface TrainFlags extends OfTenant {
  readonly method?: string
  readonly dryRun?: boolean
  readonly learningRate?: number
  readonly epochs?: number
  readonly sftWeight?: number
  readonly labelSmoothing?: number
  readonly seed?: number
  /** A soft prompt: for use elsewhere. */
  readonly export?: boolean
}

/** Checks the flags. @throws HoneError INPUT naming the flag. */
export function trainOptions({ method, tenant, dryRun: _, export: elsewhere, ...numbers }: TrainFlags): TrainOptions {
  if (method !== undefined && !methodChoices.includes(method as MethodChoice)) {
    throw new HoneError('INPUT', `--method is "${method}"; it must be one of ${methodChoices.join(', ')}.`)
  }
  for (const [flag, value] of Object.entries(numbers)) {
    if (value !== undefined && !Number.isFinite(value)) throw new HoneError('INPUT', `--${flag} must be a number.`)
  }
  if (elsewhere && method !== 'soft-prompt')
    throw new HoneError('INPUT', '--export is for --method soft-prompt; a LoRA lies in its version’s folder anyway.')
  return {
    ...numbers,
    ...ofTenant(tenant),
    ...(elsewhere ? { export: true } : {}),
    ...(method === undefined ? {} : { method: method as MethodChoice }),
  }
}

/** @example ofTenant(undefined) // {} */
export function ofTenant(tenant: string | undefined): OfTenant {
  return tenant === undefined ? {} : { tenant }
}

/** `hone train`: the dry run, or the whole way to a promoted or refused version, with progress. */
export async function train(flags: TrainFlags, desk: Desk, output: Output): Promise<void> {
  const options = trainOptions(flags)
  const plan = await desk.plan(options)
  if (flags.dryRun || plan.refusal) {
    output.result(planText(plan), plan)
    if (plan.refusal) process.exitCode = 1
    return
  }
  output.say(planText(plan))
  process.once('SIGINT', () => void desk.cancel().catch((error: unknown) => output.say(String(error))))
  const { job, gate } = await follow(desk.train(options), output)
  if (!job) throw new HoneError('STORE', 'The run ended without a word.')
  output.result(outcomeText(job, gate), { job, gate })
  if (!['promoted', 'canary', 'kept'].includes(job.state)) process.exitCode = 1
}

/** Shows a run as it goes; resolves with how it stands at the end, and what the gate said if it came that far. */
export async function follow(
  events: AsyncIterable<RunEvent>,
  output: Output,
): Promise<{ readonly job?: Job; readonly gate?: GateReport }> {
  const bar = createBar('Training')
  let ended: { readonly job?: Job; readonly gate?: GateReport } = {}
  for await (const event of events) {
    if (event.kind === 'say') output.say(event.text)
    if (event.kind === 'gate') ended = { ...ended, gate: event.report }
    if (event.kind === 'state') ended = { ...ended, job: event.job }
    if (event.kind !== 'train' || event.event.type !== 'step') continue
    const { step, of, loss, accuracy, reward } = event.event
    const liked = accuracy === undefined ? '' : ` accuracy ${Math.round(accuracy * 100)} %`
    const earned = reward === undefined ? '' : ` reward ${reward.toFixed(2)}`
    bar.update(step, of, `loss ${loss.toFixed(3)}${liked}${earned}`)
    if (step === of) bar.stop()
  }
  bar.stop()
  return ended
}

/** `hone versions`. */
export async function versions(of: OfTenant, desk: Desk, output: Output): Promise<void> {
  const all = await desk.versions(of)
  const lines = all.map(
    ({ id, serving, createdAt, pairs, bytes, gate, forgotten, pruned, tenant, canary }) =>
      `${serving ? '→' : canary ? '~' : ' '} ${id.padEnd(6)} ${createdAt.toISOString().slice(0, 16)}  ${counted(pairs.length, 'pair').padEnd(9)} ${Math.round(bytes / 1024)} KB  ${gate?.verdict ?? ''}${tenant ? `  ${tenant}` : ''}${forgotten ? '  learned from deleted feedback' : ''}${pruned ? '  model removed to save space' : ''}${canary ? `\n         canary: ${canary.summary}` : ''}`,
  )
  output.result(lines.join('\n') || 'Only the base model so far.', all)
}

/** `hone promote V` and `hone rollback`. */
export async function promote(
  { version, ...of }: OfTenant & { readonly version?: string },
  desk: Desk,
  output: Output,
): Promise<void> {
  if (version !== undefined) await desk.promote({ version, ...of })
  const serving = version ?? (await desk.rollback(of))
  output.result(`Version ${serving} serves now.`, { serving })
}
