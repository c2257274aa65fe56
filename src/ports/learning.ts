import type { Job } from './store.ts'
import type { Method, MethodChoice, TrainEvent } from './trainer.ts'

/** One measured check of the gate. */
export interface GateCheck {
  readonly id: string
  readonly what: string
  readonly value: number
  /** The limit in words, e.g. `≥ 0.6` or `≤ +15 %`. */
  readonly limit: string
  readonly pass: boolean
  readonly n: number
  /** Confidence interval, where one was computed. */
  readonly interval?: readonly [number, number]
}
export interface GateReport {
  readonly verdict: 'promote' | 'hold' | 'refuse'
  readonly checks: readonly GateCheck[]
}

/** What a run would use, before anything runs. */
export interface TrainPlan {
  readonly method: Method
  /** Why this method, where `auto` chose it. */
  readonly why?: string
  /** Rows by what they train, e.g. `{ pairs: 52, heldOut: 9, replay: 120 }`. */
  readonly rows: Readonly<Record<string, number>>
  /** Why rows were left out, counted. */
  readonly leftOut: Readonly<Record<string, number>>
  /** What else an operator should know about the rows. */
  readonly notes?: readonly string[]
  readonly secondsGuess: number
  readonly memoryGuessMb: number
  /** Absent when the run can start; else what is missing, in words. */
  readonly refusal?: string
}

export type RunEvent =
  | { readonly kind: 'state'; readonly job: Job }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'train'; readonly event: TrainEvent }
  | { readonly kind: 'gate'; readonly report: GateReport }

export interface VersionInfo {
  readonly id: string
  readonly serving: boolean
  readonly createdAt: Date
  readonly bytes: number
  /** Ids of the pairs it was trained on; each names the turns and votes it came from. */
  readonly pairs: readonly PairTrace[]
  readonly gate?: GateReport
  /** It learned from somebody who was forgotten since. */
  readonly forgotten?: true
}
/** Where a pair came from. */
export interface PairTrace {
  readonly origin: 'votes' | 'correction' | 'duel' | 'import'
  readonly chosen: string
  readonly rejected: string
  readonly people: readonly string[]
}
export interface TrainOptions {
  readonly method?: MethodChoice
  readonly learningRate?: number
  readonly epochs?: number
  readonly sftWeight?: number
  readonly seed?: number
  /** For experiments: as if people had voted at random. The gate must refuse the result. */
  readonly shuffleLabels?: boolean
}

/** The learning loop as commands and pages see it. One run at a time. */
export interface Learning {
  plan(options?: TrainOptions): Promise<TrainPlan>
  /** Starts a run and resolves with it at once; follow it with `watch`. */
  start(by: string, options?: TrainOptions): Promise<Job>
  cancel(by: string): Promise<boolean>
  /** Events of the current run (or of the next one, when none runs) until it ends. */
  watch(signal?: AbortSignal): AsyncIterable<RunEvent>
  versions(): Promise<readonly VersionInfo[]>
  promote(version: string, by: string): Promise<void>
  /** Back to the version that served before; answers which one serves now. */
  rollback(by: string): Promise<string>
  /** Steps of the current or last run, for a plot. */
  steps(): readonly Extract<TrainEvent, { type: 'step' }>[]
}
