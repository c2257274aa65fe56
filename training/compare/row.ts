import { HoneError } from '../../src/errors.ts'
import type { Engine } from '../../src/ports/engine.ts'
import { right } from '../checks/compare.ts'
import { hasHalf } from '../checks/grounded.ts'
import { perplexity } from '../checks/language.ts'
import { type Measured, measure, quarters } from '../measure.ts'
import type { Pair } from '../pairs.ts'
import { wordDistance } from '../similar.ts'
import { mean } from '../stats.ts'
import { valuesOf } from '../text.ts'
import { laidOut, type PairMaterial, type Prompt, rewritten } from './prompts.ts'
import type { RowResult } from './result.ts'
import type { Technique } from './techniques.ts'
import type { Tell } from './told.ts'

/** What every row is measured on. */
export interface Bench {
  readonly material: PairMaterial
  /** Messages that the examples of a profile's version take. */
  readonly exampleMessages: ReadonlyMap<string, number>
  readonly tell?: Tell
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** Longest answer, in tokens. */
const maxTokens = 128

/**
 * Measures one technique on the engine that has its weights. What comes out are numbers alone.
 *
 * @throws HoneError NOT_ENOUGH_DATA when examples are to be told and none is near any question; CANCELLED.
 */
export async function measureRow(engine: Engine, technique: Technique, bench: Bench): Promise<RowResult> {
  const { signal, say } = bench
  const started = performance.now()
  const asked = await materialFor(engine, technique, bench)
  const scorable = engine.score ? asked : { ...asked, pairs: [], prose: [] }
  const meter = metered(engine)
  const onProgress = quarters((done) => say(`Measuring ${technique.label}: ${done} %.`))
  const seen = await measure(meter.engine, scorable, { signal, maxTokens, onProgress })
  return {
    ...figures(technique.id, { asked: scorable, judged: bench.material }, seen),
    tokens: meter.mean(),
    measureSeconds: secondsSince(started),
  }
}

/** Seconds since a moment of `performance.now()`, to a tenth. */
export function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10
}

/** The material as this technique puts it to the model; examples that don't fit the window are left out, as in service. */
async function materialFor(engine: Engine, { layout }: Technique, bench: Bench): Promise<PairMaterial> {
  const { material, exampleMessages, tell } = bench
  const newest = material.pairs.at(-1)
  let examples = 0
  const write = async (prompt: Prompt, pair?: Pair): Promise<Prompt> => {
    const told = layout.examples && newest ? (tell?.(prompt, pair ?? newest) ?? []) : []
    const about = { exampleMessages: exampleMessages.get(pair?.profile ?? '') ?? 0, told }
    const whole = laidOut(prompt, layout, about)
    if (told.length === 0) return whole
    const count = (await engine.countTokens?.(whole)) ?? 0
    if (count + maxTokens > engine.contextTokens) return laidOut(prompt, layout, { ...about, told: [] })
    if (pair) examples += 1
    return whole
  }
  const written = await rewritten(material, write)
  if (layout.examples && examples === 0)
    throw new HoneError('NOT_ENOUGH_DATA', 'No judged reply is near enough to any held-out question to be told.')
  return written
}

/** `judged`: the prompts as people judged the replies to them, which have the passages that the values come from. */
function figures(
  row: string,
  { asked, judged }: { readonly asked: PairMaterial; readonly judged: PairMaterial },
  seen: Measured,
): Omit<RowResult, 'tokens' | 'measureSeconds'> {
  const lean = (text: string, { chosen, rejected }: Pair) => wordDistance(text, rejected) - wordDistance(text, chosen)
  const well = (unanswerable: boolean) =>
    asked.golden.flatMap((question, i) =>
      (question.declines === true) === unanswerable ? [right(question, seen.golden[i])] : [],
    )
  return {
    row,
    leans: asked.questions.map((pair, i) => lean(seen.answers[i]?.text ?? '', pair)),
    values: judged.questions.flatMap(({ prompt, chosen }, i) => {
      const wanted = valuesOf(prompt, chosen)
      return wanted.length > 0 ? [hasHalf(seen.answers[i], wanted)] : []
    }),
    prefers: preferences(asked, seen),
    right: well(false),
    declines: well(true),
    perplexity: perplexity(seen.prose),
    trainSeconds: 0,
  }
}

/** A prompt's pairs are not independent: they count as one observation. */
function preferences({ pairs }: PairMaterial, seen: Measured): number[] {
  const likelier = seen.pairs.map(({ chosen, rejected }) => Number(chosen.logProbability > rejected.logProbability))
  const byPrompt = Map.groupBy(likelier.entries(), ([i]) => pairs[i]?.promptHash)
  return [...byPrompt.values()].map((entries) => mean(entries.map(([, value]) => value)))
}

/** The same engine, with an eye on the tokens of its answers. */
function metered(engine: Engine): { readonly engine: Engine; mean(): number } {
  const counts: number[] = []
  async function* generate(...given: Parameters<Engine['generate']>) {
    for await (const delta of engine.generate(...given)) {
      if (delta.kind === 'end') counts.push(delta.usage.prompt + delta.usage.completion)
      yield delta
    }
  }
  return { engine: { ...engine, generate }, mean: () => Math.round(mean(counts)) }
}
