import type { ChatMessage } from '../ports/engine.ts'
import type { ToldExample } from '../ports/store.ts'

/** A prompt, and where judged examples stand in it. */
export interface Told {
  readonly prompt: readonly ChatMessage[]
  readonly examples: readonly ToldExample[]
}

/**
 * The prompt without these of its judged examples; those that are left stand where their `at` then says.
 *
 * @example withoutExamples(turn, turn.examples).prompt // as if nobody had ever judged anything
 */
export function withoutExamples({ prompt, examples }: Told, cut: readonly ToldExample[]): Told {
  const places = new Set(cut.flatMap(({ at }) => [at, at + 1]))
  const gone = (before: number) => 2 * cut.filter(({ at }) => at < before).length
  return {
    prompt: prompt.filter((_, index) => !places.has(index)),
    examples: examples.filter(({ at }) => !places.has(at)).map((one) => ({ ...one, at: one.at - gone(one.at) })),
  }
}
