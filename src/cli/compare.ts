import { comparePlanText, comparisonText } from '../comparison.ts'
import { HoneError } from '../errors.ts'
import { outcomeText } from '../outcome.ts'
import type { CompareOptions } from '../ports/compare.ts'
import type { Desk, OfTenant } from './desk.ts'
import type { Output } from './output.ts'
import { follow, ofTenant } from './train.ts'

/** The flags of `hone compare`, as cac gives them. */
export interface CompareFlags extends OfTenant {
  readonly minutes?: number
  readonly rows?: number
  readonly epochs?: number
  readonly seed?: number
  /** Ids of techniques, with commas. */
  readonly only?: string
  readonly dryRun?: boolean
  readonly last?: boolean
}

/** Checks the flags. @throws HoneError INPUT naming the flag. */
export function compareOptions({ only, tenant, dryRun: _, last: __, ...numbers }: CompareFlags): CompareOptions {
  for (const [flag, value] of Object.entries(numbers)) {
    if (value !== undefined && !Number.isFinite(value)) throw new HoneError('INPUT', `--${flag} must be a number.`)
  }
  const ids = only?.split(',').map((id) => id.trim())
  return { ...numbers, ...ofTenant(tenant), ...(ids === undefined ? {} : { only: ids.filter(Boolean) }) }
}

/** `hone compare`: the plan, the newest result, or the rows that are missing, measured, and the table. */
export async function compare(flags: CompareFlags, desk: Desk, output: Output): Promise<void> {
  const of = ofTenant(flags.tenant)
  if (flags.last) return show(of, desk, output)
  const options = compareOptions(flags)
  const plan = await desk.comparePlan(options)
  if (flags.dryRun || plan.refusal) {
    output.result(comparePlanText(plan), plan)
    if (plan.refusal) process.exitCode = 1
    return
  }
  output.say(comparePlanText(plan))
  process.once('SIGINT', () => void desk.cancel().catch((error: unknown) => output.say(String(error))))
  const { job } = await follow(desk.compare(options), output)
  if (!job) throw new HoneError('STORE', 'The comparison ended without a word.')
  if (job.state === 'compared') return show(of, desk, output)
  output.result(`${outcomeText(job)}\nWhat was measured is kept: \`hone compare\` goes on with the rest.`, { job })
  process.exitCode = 1
}

async function show(of: OfTenant, desk: Desk, output: Output): Promise<void> {
  const comparison = await desk.comparison(of)
  if (!comparison) throw new HoneError('NOT_FOUND', 'Nothing was compared yet: run `hone compare`.')
  output.result(comparisonText(comparison), comparison)
}
