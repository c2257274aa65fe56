import { HoneError } from '../errors.ts'
import { outcomeText } from '../outcome.ts'
import type { TuneOptions } from '../ports/tune.ts'
import { readProfile } from '../prompt/profile.ts'
import { readBudget, tunePlanText, tuneReportText } from '../tuning.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'
import { isVersion } from './profile.ts'
import { follow } from './train.ts'

/** The flags of `hone tune-prompt`, as cac gives them. */
export interface TuneFlags {
  readonly budget?: string
  /** A version of the profile, or a file. */
  readonly profile?: string
  readonly seed?: number
  readonly promote?: boolean
  readonly dryRun?: boolean
  readonly last?: boolean
}

/** `hone tune-prompt`: the plan, the newest report, or a search with its report. */
export async function tunePrompt(flags: TuneFlags, desk: Desk, output: Output): Promise<void> {
  if (flags.last) return show(desk, output)
  const options = await optionsOf(flags, desk)
  const plan = await desk.tunePlan(options)
  if (flags.dryRun || plan.refusal) {
    output.result(tunePlanText(plan), plan)
    if (plan.refusal) process.exitCode = 1
    return
  }
  output.say(tunePlanText(plan))
  process.once('SIGINT', () => void desk.cancel().catch((error: unknown) => output.say(String(error))))
  const { job } = await follow(desk.tune(options), output)
  if (!job) throw new HoneError('STORE', 'The search ended without a word.')
  if (job.state === 'promoted' || job.state === 'kept') return show(desk, output)
  process.exitCode = 1
  if (job.state === 'held' || job.state === 'refused') return show(desk, output)
  output.result(`${outcomeText(job)}\nWhat was scored is kept: \`hone tune-prompt\` goes on with the rest.`, { job })
}

async function optionsOf({ budget, profile, seed, promote }: TuneFlags, desk: Desk): Promise<TuneOptions> {
  if (seed !== undefined && !Number.isInteger(seed)) throw new HoneError('INPUT', '--seed must be a whole number.')
  const start =
    profile === undefined || isVersion(profile) ? profile : await desk.keepProfile((await readProfile(profile)).source)
  return {
    ...(budget === undefined ? {} : { budget: readBudget(budget) }),
    ...(start === undefined ? {} : { profile: start }),
    ...(seed === undefined ? {} : { seed }),
    ...(promote ? { promote: true } : {}),
  }
}

async function show(desk: Desk, output: Output): Promise<void> {
  const report = await desk.tuned()
  if (!report) throw new HoneError('NOT_FOUND', 'No prompt was searched yet: run `hone tune-prompt`.')
  output.result(tuneReportText(report), report)
}
