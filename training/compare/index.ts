import { join } from 'node:path'
import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Comparing } from '../../src/ports/compare.ts'
import type { Runner } from '../runner.ts'
import { folderOf, type Whose } from '../tenants.ts'
import { comparisonOf } from './compared.ts'
import { type PrepareParts, prepareComparison } from './prepare.ts'
import { compareStore } from './result.ts'
import { type ComparisonParts, runComparison } from './run.ts'

export type { BotFacts } from './prepare.ts'

/** What comparisons work with, whosever feedback they are on. */
export interface ComparingParts extends Omit<ComparisonParts, 'store'> {
  readonly whoseOf: (tenant?: string) => Promise<Whose>
}

/**
 * `hone compare`: every technique on the same held-out feedback under one budget. It takes the place of a training run, so
 * there is one of either at a time, and it is followed and cancelled as one.
 *
 * @example const job = await comparing(parts, prepareParts, runner).start('cli', { minutes: 10 })
 */
export function comparing(parts: ComparingParts, prepare: Omit<PrepareParts, 'kept'>, runner: Runner): Comparing {
  /** Where the comparisons on somebody's feedback lie, and whose that is. */
  const of = async (tenant?: string) => {
    const whose = await parts.whoseOf(tenant)
    return { whose, kept: compareStore(join(folderOf(prepare.dataDir, whose), 'compare')) }
  }
  return {
    plan: async (options = {}) =>
      (await prepareComparison({ ...prepare, ...(await of(options.tenant)) }, options)).plan,
    async start(by, options = {}) {
      const { whose, kept } = await of(options.tenant)
      const prepared = await prepareComparison({ ...prepare, whose, kept }, options)
      const { plan, head } = prepared
      if (plan.refusal) throw new HoneError('NOT_ENOUGH_DATA', plan.refusal)
      const id = newId('job')
      const detail = {
        compare: { hash: head.hash, budget: head.budget, rows: head.rows },
        ...(whose ? { tenant: whose } : {}),
      }
      return runner.start({ id, by, startedAt: parts.now(), detail }, async (voice) => {
        await runComparison({ ...parts, store: kept }, id, prepared, voice)
        return { state: 'compared', detail: {} }
      })
    },
    async last(tenant) {
      const newest = await (await of(tenant)).kept.last()
      return newest && comparisonOf(newest)
    },
  }
}
