import type { GateReport } from './learning.ts'
import type { Job } from './store.ts'

/** What of a profile is tuned: the texts that begin every prompt beside who the bot is. */
export interface PromptTexts {
  readonly hidden: readonly string[]
  readonly rules: readonly string[]
  readonly examples: readonly { readonly question: string; readonly answer: string }[]
}

/** How much a search may evaluate: so many tokens, or so many minutes. The gate comes after it. */
export interface TuneBudget {
  readonly tokens?: number
  readonly minutes?: number
}

export interface TuneOptions {
  readonly budget?: TuneBudget
  readonly seed?: number
  /** Version of the profile to start from. Absent: the one that serves. */
  readonly profile?: string
  /** Lets the new version serve at once if the gate passes it. */
  readonly promote?: boolean
}

/** What a search would do, before anything runs. */
export interface TunePlan {
  readonly budget: TuneBudget
  readonly seed: number
  /** Version that the search starts from, and the one that serves. */
  readonly profile: { readonly name: string; readonly from: string; readonly serving: string }
  /** Prompts that proposals may look at, that candidates are scored on, and that the last one is measured on once. */
  readonly prompts: { readonly shown: number; readonly scored: number; readonly heldOut: number }
  /** Who writes instructions. */
  readonly proposer: 'teacher' | 'model'
  /** Judged replies that may stand in a prompt as examples. */
  readonly examples: number
  /** What an operator should know of it. */
  readonly notes: readonly string[]
  /** A search on the same feedback that was cut short goes on: candidates that are scored already. */
  readonly resumes?: number
  /** Absent when it can start. */
  readonly refusal?: string
}

/** A candidate and how it did on the training side. */
export interface TriedPrompt {
  /** What it changes, in words. */
  readonly what: string
  readonly generation: number
  /** ½ is as good as the profile that serves; over so many prompts. */
  readonly value: number
  readonly n: number
}

/** A figure of the held-out side, with the profile that serves and with the candidate. */
export interface TuneFigure {
  readonly what: string
  /** Absent where the figure is against it. */
  readonly before?: number
  readonly after: number
  readonly n: number
  /** 90 %. */
  readonly interval?: readonly [number, number]
  /** A share, unless it is a plain number. */
  readonly unit: 'share' | 'tokens'
}

/** What a search came to. */
export interface TuneReport {
  readonly job: string
  readonly startedAt: Date
  readonly plan: TunePlan
  readonly spent: { readonly tokens: number; readonly seconds: number }
  /** Best first. */
  readonly tried: readonly TriedPrompt[]
  /** The best candidate, where one beat the profile that serves. */
  readonly best?: TriedPrompt & { readonly texts: PromptTexts; readonly lines: readonly string[] }
  readonly figures: readonly TuneFigure[]
  readonly gate?: GateReport
  /** The version that was kept: passed, or held for an admin. */
  readonly version?: string
  readonly promoted: boolean
  /** In words: what came of it and what to do. */
  readonly text: string
  /** Whose feedback is behind it. */
  readonly people: readonly string[]
}

/** A search for a better prompt. It shares the training run's place: one at a time. */
export interface Tuning {
  plan(options?: TuneOptions): Promise<TunePlan>
  /** Starts the search and resolves at once; follow and cancel it as a training run. */
  start(by: string, options?: TuneOptions): Promise<Job>
  /** The newest report; undefined before the first. */
  last(): Promise<TuneReport | undefined>
}
