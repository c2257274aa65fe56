/** One figure of a benchmark. Names stay the same from release to release. */
export interface Result {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** In words, e.g. `≥ 0.8`; empty for a figure that only informs. */
  readonly goal: string
  readonly holds: boolean
  readonly detail?: unknown
}

/**
 * A suite: figures of one question. `say` tells what it does while it runs; `only` is what stands behind the suite's
 * name (`--suite train:vain`), for suites that can run in parts.
 */
export type Suite = (say: (text: string) => void, only?: string) => Promise<readonly Result[]>

/** A figure with the least value it should have. */
export function atLeast(name: string, value: number, goal: number, unit: string, detail?: unknown): Result {
  return { name, value, unit, goal: `≥ ${goal}`, holds: value >= goal, ...(detail === undefined ? {} : { detail }) }
}

/** A figure with the greatest value it should have. */
export function atMost(name: string, value: number, goal: number, unit: string, detail?: unknown): Result {
  return { name, value, unit, goal: `≤ ${goal}`, holds: value <= goal, ...(detail === undefined ? {} : { detail }) }
}

/** A figure that only informs. */
export function figure(name: string, value: number, unit: string, detail?: unknown): Result {
  return { name, value, unit, goal: '', holds: true, ...(detail === undefined ? {} : { detail }) }
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[half] ?? Number.NaN)
    : ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
