import type { ComparedRow, Comparison } from '../../src/ports/compare.ts'
import type { Choice } from '../choose.ts'
import { type Contender, recommend } from './recommend.ts'
import type { CompareHead, Kept, RowResult } from './result.ts'
import { summary } from './summary.ts'
import { type Technique, techniques } from './techniques.ts'

/** What lies on the disk as a table with a recommendation. Pure. */
export function comparisonOf({ head, results }: Kept): Comparison {
  const { hash, startedAt, budget, heldOut } = head
  const resultOf = new Map(results.map((result) => [result.row, result]))
  const base = measuredOf(resultOf.get('base'))
  const asked = techniques.filter(({ id }) => head.rows.includes(id))
  const rows = asked.map((technique) => rowOf(technique, resultOf.get(technique.id), base, head.cannot[technique.id]))
  const others = contenders(asked, resultOf)
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

/**
 * The method that a comparison would train with, however well techniques did that train nothing, and its reason in words.
 * Pure.
 */
export function advisedMethod({ head, results }: Kept): Choice | undefined {
  const resultOf = new Map(results.map((result) => [result.row, result]))
  const base = measuredOf(resultOf.get('base'))
  const trained = methodsOf(head)
  const advice = base && recommend(base, contenders(trained, resultOf))
  const method = trained.find(({ id }) => id === advice?.row)?.method
  if (!advice || !method) return undefined
  return { method, why: `The comparison of ${head.startedAt.toISOString().slice(0, 10)} says: ${advice.text}` }
}

/** Whether a comparison has measured the base and at least two methods, and has come to its end. */
export function comparesMethods({ head, results }: Kept): boolean {
  const resultOf = new Map(results.map((result) => [result.row, result]))
  const ended = head.rows.every((id) => resultOf.has(id) || head.cannot[id] !== undefined)
  const measured = contenders(methodsOf(head), resultOf).length
  return ended && measured >= 2 && measuredOf(resultOf.get('base')) !== undefined
}

/** Rows that show what weights alone do: what judged examples add to them is no reason to train. */
function methodsOf(head: CompareHead): readonly Technique[] {
  const { rows } = head
  return techniques.filter(({ id, method, layout }) => method !== undefined && !layout.examples && rows.includes(id))
}

function contenders(asked: readonly Technique[], resultOf: ReadonlyMap<string, RowResult>): readonly Contender[] {
  return asked.flatMap((technique) => {
    const result = measuredOf(resultOf.get(technique.id))
    return result && technique.id !== 'base' ? [{ technique, result }] : []
  })
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
