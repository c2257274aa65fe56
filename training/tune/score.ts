import type { ChatMessage, Engine } from '../../src/ports/engine.ts'
import { hasHalf } from '../checks/grounded.ts'
import { type Answer, greedy, inTurns } from '../measure.ts'
import { wordDistance } from '../similar.ts'
import { valuesOf } from '../text.ts'
import type { Case } from './cases.ts'

/** What a prompt's candidate did with one case: how far it prefers the chosen text, in nats, and its fresh answer. */
export interface Seen {
  /** log p(chosen) − log p(rejected); null where the engine gives no scores. */
  readonly margin: number | null
  /** How much nearer the fresh answer is to the chosen text than to the rejected one; null where none was asked for. */
  readonly lean: number | null
  /** Whether the fresh answer has the values of the chosen text. */
  readonly right: boolean
}

/** What was evaluated so far. */
export interface Meter {
  tokens: number
}

export interface SeeOptions {
  readonly begin: (one: Case) => Promise<readonly ChatMessage[]>
  /** Asks for fresh answers too; without them it costs no generation. */
  readonly fresh: boolean
  /** What was seen of the first cases already. */
  readonly known: readonly Seen[]
  readonly meter: Meter
  readonly signal: AbortSignal
}

/** Longest answer, in tokens, as in a comparison. */
const maxTokens = 128

/** Puts cases to the model under one prompt. */
export async function see(engine: Engine, cases: readonly Case[], options: SeeOptions): Promise<readonly Seen[]> {
  const { begin, fresh, known, meter, signal } = options
  return inTurns([...cases.entries()], signal, async ([i, one]) => {
    const before = known[i]
    if (before && (!fresh || before.lean !== null)) return before
    const prompt = await begin(one)
    const margin = before ? before.margin : await marginOf(engine, prompt, one, options)
    if (!fresh && engine.score) return { margin, lean: null, right: true }
    const answer = await greedy(metered(engine, meter), prompt, { signal, maxTokens })
    const lean = wordDistance(answer.text, one.rejected) - wordDistance(answer.text, one.chosen)
    return { margin, lean, right: isRight(one, answer) }
  })
}

function isRight({ prompt, chosen }: Case, answer: Answer): boolean {
  const wanted = valuesOf(prompt, chosen)
  return wanted.length === 0 || hasHalf(answer, wanted)
}

async function marginOf(
  engine: Engine,
  prompt: readonly ChatMessage[],
  { chosen, rejected }: Case,
  { meter, signal }: SeeOptions,
): Promise<number | null> {
  if (!engine.score) return null
  const [good, bad] = [await engine.score(prompt, chosen, signal), await engine.score(prompt, rejected, signal)]
  const read = (await engine.countTokens?.(prompt)) ?? prompt.reduce((sum, { content }) => sum + content.length / 4, 0)
  meter.tokens += Math.round(read) + good.tokens + bad.tokens
  const margin = good.logProbability - bad.logProbability
  return Number.isFinite(margin) ? margin : null
}

/** The same engine, with an eye on what it evaluates. */
function metered(engine: Engine, meter: Meter): Engine {
  async function* generate(...given: Parameters<Engine['generate']>) {
    for await (const delta of engine.generate(...given)) {
      if (delta.kind === 'end') meter.tokens += delta.usage.evaluated + delta.usage.completion
      yield delta
    }
  }
  return { ...engine, generate }
}

/** Nats that turn "a little likelier" into "clearly likelier". */
const clear = 2

/**
 * How a candidate did against the profile that serves, 0 to 1; ½ is as good. A mean over the cases of two shares: how far
 * it came to prefer the chosen text (bounded, so that no single case decides), and whether its fresh answer came nearer
 * to it. An answer that lost the right values has lost.
 */
export function worthOf(ours: readonly Seen[], theirs: readonly Seen[], fresh = true): number {
  const prefers: number[] = []
  const nearer: number[] = []
  for (const [i, one] of ours.entries()) {
    const other = theirs[i]
    if (!other) continue
    if (one.margin !== null && other.margin !== null)
      prefers.push(0.5 + 0.5 * Math.tanh((one.margin - other.margin) / clear))
    if (fresh && one.lean !== null && other.lean !== null) nearer.push(winOf(one, other))
  }
  const parts = [prefers, nearer].filter((list) => list.length > 0)
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length
  return parts.length === 0 ? 0 : mean(parts.map(mean))
}

function winOf(one: Seen, other: Seen): number {
  if (one.right !== other.right) return one.right ? 1 : 0
  const gain = (one.lean ?? 0) - (other.lean ?? 0)
  return gain > 1e-9 ? 1 : gain < -1e-9 ? 0 : 0.5
}
