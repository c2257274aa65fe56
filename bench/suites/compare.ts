import { join } from 'node:path'
import { comparisonText } from '../../src/comparison.ts'
import type { CompareOptions, Comparison } from '../../src/ports/compare.ts'
import { copiedLab } from '../cell.ts'
import { cache, type ModelName, modelsNamed } from '../family.ts'
import { keptJson } from '../kept.ts'
import { figure, type Result } from '../result.ts'

const judgedPrompts = 60
const seeds = [1, 2, 3]

/**
 * `hone compare` on what was judged, with its own table. Kept in `.cache/bench`, a comparison a model and a seed.
 *
 * @param only a model and a seed: `starter`, or `starter:1`
 */
export async function run(say: (text: string) => void, only?: string): Promise<readonly Result[]> {
  const [wanted, seed] = only?.split(':') ?? []
  const results: Result[] = []
  for (const model of modelsNamed(wanted)) {
    for (const n of seed ? [Number(seed)] : seeds) {
      const tell = (text: string) => say(`${model}, seed ${n}: ${text}`)
      const comparison = await keptJson(join(cache, model, 'runs', `compare.seed-${n}.json`), () =>
        compared(model, n, tell),
      )
      tell(`\n${comparisonText(comparison)}`)
      results.push(...figuresOf(`compare.${model}.seed-${n}`, comparison))
    }
  }
  return results
}

async function compared(model: ModelName, seed: number, say: (text: string) => void): Promise<Comparison> {
  await using lab = await copiedLab({ model, seed, prompts: judgedPrompts }, say)
  const learning = await lab.parts.learning()
  const { comparing } = learning
  if (!comparing) throw new Error('This Hone runs without comparisons.')
  const options: CompareOptions = { seed }
  await comparing.start('web:rater', options)
  for await (const event of learning.watch()) if (event.kind === 'say') say(event.text)
  const found = await comparing.last()
  if (!found) throw new Error('The comparison left no result.')
  return found
}

function figuresOf(name: string, { rows, advice }: Comparison): readonly Result[] {
  const measured = rows.flatMap(({ id, measured: found }) => (found ? [{ id, ...found }] : []))
  return measured.flatMap(({ id, nearer, values, trainSeconds }) => [
    figure(`${name}.${id}.nearer`, nearer.value, 'share', id === advice.row ? advice.text : nearer.interval),
    figure(`${name}.${id}.values`, values.value, 'share'),
    figure(`${name}.${id}.train-seconds`, trainSeconds, 's'),
  ])
}
