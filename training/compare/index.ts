import { join } from 'node:path'
import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { ComparedRow, Comparing, Comparison } from '../../src/ports/compare.ts'
import type { Runner } from '../runner.ts'
import { folderOf, type Whose } from '../tenants.ts'
import { type PrepareParts, prepareComparison } from './prepare.ts'
import { recommend } from './recommend.ts'
import { compareStore, type Kept, type RowResult } from './result.ts'
import { type ComparisonParts, runComparison } from './run.ts'
import { summary } from './summary.ts'
import { type Technique, techniques } from './techniques.ts'

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

/** What lies on the disk as a table with a recommendation. Pure. */
export function comparisonOf({ head, results }: Kept): Comparison {
  const { hash, startedAt, budget, heldOut } = head
  const resultOf = new Map(results.map((result) => [result.row, result]))
  const base = measuredOf(resultOf.get('base'))
  const asked = techniques.filter(({ id }) => head.rows.includes(id))
  const rows = asked.map((technique) => rowOf(technique, resultOf.get(technique.id), base, head.cannot[technique.id]))
  const others = asked.flatMap((technique) => {
    const result = measuredOf(resultOf.get(technique.id))
    return result && technique.id !== 'base' ? [{ technique, result }] : []
  })
  const open = rows.filter(({ measured, why }) => !measured && why === undefined).length
  const unfinished = open > 0 ? `So far, with ${open} still to be measured: ` : ''
  const advice = base ? recommend(base, others) : { text: 'Nothing is measured yet.' }
  return {
    hash,
    startedAt,
    budget,
    heldOut: base?.leans.length ?? heldOut,
    rows,
    advice: { ...advice, text: unfinished + advice.text },
  }
}

function measuredOf(result: RowResult | undefined): RowResult | undefined {
  return result?.failed === undefined ? result : undefined
}

function rowOf(
  { id, label, what, method }: Technique,
  result: RowResult | undefined,
  base: RowResult | undefined,
  cannot: string | undefined,
): ComparedRow {
  const measured = measuredOf(result)
  const why = result?.failed ?? (measured ? undefined : cannot)
  return {
    id,
    label,
    what,
    ...(measured && base ? { measured: summary(measured, base, method !== undefined) } : {}),
    ...(why === undefined ? {} : { why }),
  }
}
