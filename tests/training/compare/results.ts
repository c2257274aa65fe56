import type { RowResult } from '../../../training/compare/result.ts'
import { type Technique, techniques } from '../../../training/compare/techniques.ts'

/** A measured row over so many questions; `leans` are those of the base unless a test says otherwise. */
export function rowResult(row: string, more: Partial<RowResult> = {}): RowResult {
  return {
    row,
    leans: new Array<number>(20).fill(0),
    values: new Array<boolean>(18).fill(true),
    prefers: new Array<number>(20).fill(0.5),
    right: new Array<boolean>(28).fill(true),
    declines: new Array<boolean>(16).fill(true),
    perplexity: technique(row).method ? 4.1 : 4,
    tokens: 300,
    trainSeconds: 0,
    measureSeconds: 5,
    ...more,
  }
}

/** So many questions won against the base, so many lost, the others tied. */
export function leans(wins: number, losses: number, n = 20): number[] {
  return Array.from({ length: n }, (_, i) => (i < wins ? 0.4 : i < wins + losses ? -0.4 : 0))
}

export function technique(id: string): Technique {
  const found = techniques.find((one) => one.id === id)
  if (!found) throw new Error(`There is no technique ${id}.`)
  return found
}
