import type { Method } from '../src/ports/trainer.ts'
import type { RowFormat } from './formats.ts'

/** What a method trains on: the shape of its rows, and which lone thumbs it can use beside pairs. */
export interface MethodData {
  readonly format: RowFormat
  readonly lone: 'none' | 'liked' | 'all'
  /** Work of a run, roughly, beside one pass over both sides of its pairs an epoch: DPO also learns from replay's pairs. */
  readonly work: number
}

/**
 * One row a method. `rl` trains its reward model on pairs, takes its prompts from them, and writes and scores several
 * replies to each, which is most of its work. `explain` takes the
 * questions alone: its rows are what a teacher answers (`explain.ts`). `full` trains every weight where the others train a LoRA,
 * and `soft-prompt` makes none either (`soft-prompt.ts`).
 */
export const methodData: Readonly<Record<Method, MethodData>> = {
  dpo: { format: 'dpo', lone: 'none', work: 1.6 },
  sft: { format: 'sft', lone: 'liked', work: 0.5 },
  kto: { format: 'kto', lone: 'all', work: 1 },
  rl: { format: 'dpo', lone: 'none', work: 4 },
  explain: { format: 'sft', lone: 'liked', work: 2 },
  full: { format: 'sft', lone: 'liked', work: 0.75 },
  'soft-prompt': { format: 'sft', lone: 'liked', work: 0.5 },
}

/** The lone thumbs that a method can use. @example usableLone('sft', rows) // those that were liked */
export function usableLone<Row extends { readonly liked: boolean }>(
  method: Method,
  rows: readonly Row[],
): readonly Row[] {
  const { lone } = methodData[method]
  return lone === 'none' ? [] : lone === 'all' ? rows : rows.filter(({ liked }) => liked)
}
