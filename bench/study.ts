import { resultOf } from './cell.ts'
import { type ModelName, modelsNamed } from './family.ts'
import { figure, type Result } from './result.ts'
import { type Cell, type CellResult, nameOf, studies, studyTable } from './studies.ts'

const seeds = [1, 2, 3]

/**
 * Runs what isn't run yet of the studies and prints them as tables. Each run is kept in `.cache/bench`, so a stopped study
 * goes on, and two studies share a run.
 *
 * @param only a study, a seed, a model: `noise`, `noise:1`, or `noise:1:qwen3`
 */
export async function runStudies(say: (text: string) => void, only?: string): Promise<readonly Result[]> {
  const [wanted, seed, model] = only?.split(':') ?? []
  const results: Result[] = []
  for (const name of modelsNamed(model)) {
    for (const [study, cells] of Object.entries(studies).filter(([one]) => !wanted || one === wanted)) {
      const found: CellResult[] = []
      // Seed by seed: a study that is stopped has the first seed whole.
      for (const n of seed ? [Number(seed)] : seeds) {
        for (const cell of cells) {
          const tell = (text: string) => say(`${name}, ${nameOf(cell)}, seed ${n}: ${text}`)
          found.push(await resultOf(cell, { model: name, seed: n }, tell))
        }
      }
      say(`${study} on ${name}\n${studyTable(cells, found)}`)
      results.push(...cells.flatMap((cell) => figuresOf(name, cell, found)))
    }
  }
  return results
}

function figuresOf(model: ModelName, cell: Cell, found: readonly CellResult[]): readonly Result[] {
  const runs = found.filter((result) => nameOf(result.cell) === nameOf(cell))
  const marks = runs.flatMap(({ mark }) => (mark ? [mark] : []))
  const of = (what: string, values: readonly number[], unit: string) =>
    figure(`train.${model}.${nameOf(cell)}.${what}`, mean(values), unit, values)
  return [
    of(
      'held-out-accuracy',
      marks.map(({ accuracy }) => accuracy),
      'share',
    ),
    of(
      'follows',
      marks.map(({ behaviour }) => behaviour.follows),
      'share',
    ),
    of(
      'right',
      marks.map(({ behaviour }) => behaviour.right),
      'share',
    ),
    of(
      'says-unknown',
      marks.map(({ behaviour }) => behaviour.knowsNot),
      'share',
    ),
    of(
      'perplexity',
      marks.map(({ perplexity }) => perplexity),
      'ratio',
    ),
    of(
      'seconds',
      runs.map(({ seconds }) => seconds),
      's',
    ),
    of(
      'promoted',
      runs.map(({ state }) => Number(state === 'promoted')),
      'runs',
    ),
  ]
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
