import type { Job } from './store.ts'

/** What every technique of a comparison gets: the same for all, or the table says nothing. */
export interface CompareBudget {
  /** How long one technique may train. */
  readonly minutes: number
  /** How many rows of feedback one technique may train on, the newest. Absent: all. */
  readonly rows?: number
  /** Instead of the recipe's. */
  readonly epochs?: number
  readonly seed: number
}
export interface CompareOptions extends Partial<CompareBudget> {
  /** Whose feedback; absent: the operator's own, or that of the only tenant that has some. */
  readonly tenant?: string
  /** These techniques alone, by id; `base` is always among them. */
  readonly only?: readonly string[]
}

/** A figure over so many observations, with its 90 % interval where there is one. */
export interface Figure {
  readonly value: number
  readonly n: number
  readonly interval?: readonly [number, number]
}

/** What was measured of a technique on the held-out prompts. */
export interface Measurement {
  /** Share of fresh answers that are nearer to what people chose than the base's; ties count half. */
  readonly nearer: Figure
  /** Share of prompts where the chosen text is likelier than the rejected one. Absent: the engine gives no scores. */
  readonly prefers?: Figure
  /** Share of fresh answers with the values (numbers, else names) of the text people chose. */
  readonly values: Figure
  /** Golden questions answered right, and unanswerable ones declined. */
  readonly right: Figure
  readonly declines: Figure
  /** Of plain text that has nothing to do with the feedback. */
  readonly perplexity?: Figure
  /** Prompt and reply, a question. */
  readonly tokens: number
  readonly trainSeconds: number
  readonly measureSeconds: number
  /** The most that training had at once; absent where nothing was trained or it isn't known. */
  readonly memoryMb?: number
  /** What got worse than it may, in words: such a technique is not recommended. */
  readonly fails: readonly string[]
}

/** One row of the table. */
export interface ComparedRow {
  readonly id: string
  readonly label: string
  /** What differs from the base, in words. */
  readonly what: string
  readonly measured?: Measurement
  /** Why it is not measured. */
  readonly why?: string
}

/** A technique in words, and the row it stands in; without a row, nothing is better for sure. */
export interface Advice {
  readonly row?: string
  readonly text: string
}

export interface Comparison {
  /** Of the feedback, the base model, the profile and the budget: the same hash, the same comparison. */
  readonly hash: string
  readonly startedAt: Date
  readonly budget: CompareBudget
  /** Held-out prompts that were answered afresh. */
  readonly heldOut: number
  readonly rows: readonly ComparedRow[]
  readonly advice: Advice
}

/** What a comparison would do, before anything runs. */
export interface ComparePlan {
  readonly budget: CompareBudget
  readonly heldOut: number
  /** `why` says that a technique can't run here; `done` that its result is there already. */
  readonly rows: readonly {
    readonly id: string
    readonly label: string
    readonly why?: string
    readonly done: boolean
  }[]
  readonly secondsGuess: number
  /** Absent when it can start. */
  readonly refusal?: string
}

/** Techniques side by side on held-out feedback. It shares the training run's place: one at a time. */
export interface Comparing {
  plan(options?: CompareOptions): Promise<ComparePlan>
  /** Starts the rows that have no result yet, and resolves at once; follow and cancel it as a training run. */
  start(by: string, options?: CompareOptions): Promise<Job>
  /** The newest comparison as far as it has come; undefined before the first. */
  last(tenant?: string): Promise<Comparison | undefined>
}
