import type { TrainOptions } from '../src/ports/learning.ts'
import { type Method, methods } from '../src/ports/trainer.ts'
import type { ModelName } from './family.ts'
import type { Behaviour } from './judging.ts'

/** One training run of a study: on what it learns, and how. */
export interface Cell {
  readonly method: Method
  /** DPO with the loss that reckons with flipped votes. */
  readonly robust?: boolean
  /** Judged prompts. */
  readonly prompts: number
  /** Share of the votes that say the opposite of what people said. */
  readonly flipped: number
}

/** Share of flipped votes that robust DPO reckons with, whatever the share is. */
const reckonedWith = 0.1
const usual = { prompts: 60, flipped: 0 }

/** What is asked of a method, and the runs that answer it. A run that two of them need is made once. */
export const studies: Readonly<Record<string, readonly Cell[]>> = {
  methods: methods.map((method) => ({ method, ...usual })),
  noise: [0, 0.1, 0.2].flatMap((flipped) => [
    { ...usual, method: 'dpo', flipped },
    { ...usual, method: 'dpo', robust: true, flipped },
    { ...usual, method: 'kto', flipped },
  ]),
  prompts: [30, 60, 120, 300].map((prompts) => ({ ...usual, method: 'dpo', prompts })),
}

/** @example nameOf({ method: 'dpo', robust: true, prompts: 60, flipped: 0.1 }) // 'robust-dpo-60-flipped-10' */
export function nameOf({ method, robust, prompts, flipped }: Cell): string {
  return `${robust ? 'robust-' : ''}${method}-${prompts}${flipped > 0 ? `-flipped-${Math.round(flipped * 100)}` : ''}`
}

/** The settings of a cell's run. */
export function optionsOf({ method, robust }: Cell, seed: number): TrainOptions {
  return { method, seed, ...(robust ? { labelSmoothing: reckonedWith } : {}) }
}

/** What a cell came to with one seed. */
export interface CellResult {
  readonly cell: Cell
  readonly model: ModelName
  readonly seed: number
  /** `promoted`, `held`, `refused`, or `failed`. */
  readonly state: string
  /** The checks that it didn't pass, or why the run failed. */
  readonly why: readonly string[]
  /** Of the whole run, the gate included. */
  readonly seconds: number
  readonly before: Behaviour
  /** Absent where there is no version. */
  readonly mark?: {
    readonly accuracy: number
    readonly pairs: number
    readonly perplexity: number
    readonly behaviour: Behaviour
  }
}

const columns = [
  'run',
  'seeds',
  'held-out accuracy',
  'follows the rule',
  'right',
  'declined',
  'perplexity',
  'seconds',
  'gate',
]

/**
 * Results of one model as a Markdown table: a row a cell, the mean over its seeds, and each seed's value where there are
 * several. Pure.
 */
export function studyTable(cells: readonly Cell[], results: readonly CellResult[]): string {
  const rows = cells.map((cell) => {
    const runs = results.filter((result) => nameOf(result.cell) === nameOf(cell))
    return runs.length === 0 ? [nameOf(cell), '0', ...columns.slice(2).map(() => 'not run')] : cellRow(cell, runs)
  })
  const before = results[0]?.before
  const base = before ? [['the base', '–', '50 % (by definition)', ...behaviourCells([before]), '1.00', '–', '–']] : []
  return [columns, columns.map(() => '---'), ...base, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function cellRow(cell: Cell, runs: readonly CellResult[]): readonly string[] {
  const marks = runs.flatMap(({ mark }) => (mark ? [mark] : []))
  return [
    nameOf(cell),
    runs.map(({ seed }) => seed).join(', '),
    each(
      marks.map(({ accuracy }) => accuracy),
      percent,
    ),
    ...behaviourCells(marks.map(({ behaviour }) => behaviour)),
    each(
      marks.map(({ perplexity }) => perplexity),
      (value) => value.toFixed(2),
    ),
    each(
      runs.map(({ seconds }) => seconds),
      (value) => String(Math.round(value)),
    ),
    runs.map(({ state, why }) => (why.length > 0 ? `${state} (${why.join(', ')})` : state)).join('; '),
  ]
}

function behaviourCells(found: readonly Behaviour[]): readonly string[] {
  const of = (name: keyof Behaviour) =>
    each(
      found.map((one) => one[name]),
      percent,
    )
  return [of('follows'), of('right'), of('knowsNot')]
}

const percent = (value: number) => `${Math.round(value * 100)} %`

/** @example each([0.8, 0.9], percent) // '85 % (80 %, 90 %)' */
function each(values: readonly number[], write: (value: number) => string): string {
  if (values.length === 0) return '–'
  const middle = write(values.reduce((sum, value) => sum + value, 0) / values.length)
  return values.length === 1 ? middle : `${middle} (${values.map(write).join(', ')})`
}
