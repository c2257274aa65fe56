import type { ComparedRow, ComparePlan, Comparison, Figure, Measurement } from './ports/compare.ts'

/** The table of a comparison with its recommendation, for a terminal and, in a code block, for a chat. */
export function comparisonText({ rows, advice, heldOut, budget }: Comparison): string {
  const table = rows.map(({ id, label, measured }) => (measured ? [label, ...cells(measured, id)] : [label]))
  return [
    ...aligned([columns, ...table.filter((cells) => cells.length > 1)]),
    ...rows.filter(({ measured }) => !measured).map(missing),
    ...rows.filter(({ measured }) => (measured?.fails.length ?? 0) > 0).map(failing),
    '',
    `${heldOut} held-out prompts; per technique: ${budgetText(budget)}. In brackets: 90 % intervals.`,
    advice.text,
  ].join('\n')
}

/** What a comparison would do. */
export function comparePlanText({ rows, heldOut, budget, secondsGuess, refusal }: ComparePlan): string {
  if (refusal) return refusal
  const list = (wanted: ComparePlan['rows']) => wanted.map(({ label }) => label).join(', ')
  const open = rows.filter(({ why, done }) => why === undefined && !done)
  const done = rows.filter((row) => row.done)
  return [
    `${heldOut} held-out prompts; per technique: ${budgetText(budget)}.`,
    open.length > 0 ? `To measure: ${list(open)}.` : 'Everything is measured already.',
    ...(done.length > 0 ? [`Measured already: ${list(done)}.`] : []),
    ...rows.filter(({ why }) => why !== undefined).map(missing),
    `About ${Math.ceil(secondsGuess / 60)} minutes. Nothing of it will serve.`,
  ].join('\n')
}

/** @example budgetText({ minutes: 30, seed: 42 }) // 'at most 30 minutes of training on all rows' */
export function budgetText({ minutes, rows, epochs }: Comparison['budget']): string {
  const on = rows === undefined ? 'all rows' : `the newest ${rows} rows`
  return `at most ${minutes} minutes of training on ${on}${epochs === undefined ? '' : `, ${epochs} epochs`}`
}

const columns = [
  'technique',
  'nearer to chosen',
  'prefers chosen',
  'values',
  'right',
  'declines',
  'perplexity',
  'tokens',
  'training',
  'memory',
]

function cells(measured: Measurement, id: string): readonly string[] {
  const { nearer, prefers, values, right, declines, perplexity, tokens, trainSeconds, memoryMb } = measured
  return [
    id === 'base' ? 'reference' : shareText(nearer),
    shareText(prefers),
    ...[values, right, declines].map((figure) => shareText({ ...figure, interval: undefined })),
    perplexity ? perplexity.value.toFixed(perplexity.value < 100 ? 2 : 0) : '–',
    Number.isFinite(tokens) ? String(Math.round(tokens)) : '–',
    trainSeconds > 0 ? `${Math.round(trainSeconds)} s` : '–',
    memoryMb === undefined ? '–' : `${Math.round(memoryMb)} MB`,
  ]
}

type Share = Omit<Figure, 'interval'> & { readonly interval?: Figure['interval'] | undefined }

/** @example shareText({ value: 0.9, n: 20, interval: [0.73, 0.97] }) // '90 % (73–97)' */
export function shareText(figure: Share | undefined): string {
  if (!figure || !Number.isFinite(figure.value)) return '–'
  const whole = (value: number) => String(Math.round(value * 100))
  const between = figure.interval ? ` (${figure.interval.map(whole).join('–')})` : ''
  return `${whole(figure.value)} %${between}`
}

function missing({ label, why }: Pick<ComparedRow, 'label' | 'why'>): string {
  return `${label}: ${why ?? 'not measured yet'}`
}

function failing({ label, measured }: ComparedRow): string {
  return `${label} lost: ${measured?.fails.join('; ')}`
}

function aligned(table: readonly (readonly string[])[]): readonly string[] {
  const widths = columns.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)))
  return table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
