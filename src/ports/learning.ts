import type { Comparing } from './compare.ts'
import type { Canary, LiveProof } from './live.ts'
import type { Job } from './store.ts'
import type { Method, MethodChoice, TrainEvent } from './trainer.ts'
import type { Tuning } from './tune.ts'

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
  /** A failure is a question for a person (too little evidence, people of two minds); any other failure refuses. */
  readonly onFail?: 'hold'
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
  /** What the memory is for and what was changed to fit; absent where the trainer can't know its machine. */
  readonly memory?: MemoryPlan
  /** Absent when the run can start; else what is missing, in words. */
  readonly refusal?: string
}

/** The memory that a run needs beside what is free, and how it fits. */
export interface MemoryPlan {
  readonly device: 'cpu' | 'cuda'
  readonly freeMb: number
  readonly needMb: number
  /** Megabytes by what they are for: weights, LoRA, activations, logits, libraries. */
  readonly parts: Readonly<Record<string, number>>
  readonly microBatch: number
  readonly checkpointing: boolean
  readonly processes?: number
  readonly sharded?: true
  readonly maxLength: number
  /** What is otherwise than the recipe, in words. */
  readonly changes: readonly string[]
  /** All of it in a line or two for people. */
  readonly summary: string
}

export type RunEvent =
  | { readonly kind: 'state'; readonly job: Job }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'train'; readonly event: TrainEvent }
  | { readonly kind: 'gate'; readonly report: GateReport }

export interface VersionInfo {
  readonly id: string
  /** The tenant on whose feedback alone it was trained; absent for the operator's own. */
  readonly tenant?: string
  readonly serving: boolean
  readonly createdAt: Date
  readonly bytes: number
  /** Ids of the pairs it was trained on; each names the turns and votes it came from. */
  readonly pairs: readonly PairTrace[]
  readonly gate?: GateReport
  /** It learned from somebody who was forgotten since. */
  readonly forgotten?: true
  /** A model of its own whose files were removed to save space: it can't serve again. */
  readonly pruned?: true
  /** It answers a share of the threads, and how it does there. */
  readonly canary?: Canary
}
/** Where a pair came from. */
export interface PairTrace {
  readonly origin: 'votes' | 'correction' | 'duel' | 'import'
  readonly chosen: string
  readonly rejected: string
  readonly people: readonly string[]
}
export interface TrainOptions {
  /** Whose feedback; absent: the operator's own, or that of the only tenant that has some. */
  readonly tenant?: string
  readonly method?: MethodChoice
  readonly learningRate?: number
  readonly epochs?: number
  readonly sftWeight?: number
  /** Share of votes that are thought to be wrong, for robust DPO: from 0 to below 0.5. */
  readonly labelSmoothing?: number
  readonly seed?: number
  /** Trains a soft prompt although no engine here can load it, and keeps its PEFT folder for use elsewhere. */
  readonly export?: boolean
  /** For experiments: as if people had voted at random. The gate must refuse the result. */
  readonly shuffleLabels?: boolean
}

/**
 * The learning loop as commands and pages see it. One run at a time. Where tenants learn apart, a `tenant` says on whose
 * behalf something is asked: they see and change what serves them alone. Without one it is the operator who asks.
 */
export interface Learning {
  /** Those that have feedback or a version of their own (`''`: the operator's). Absent: all tenants learn together. */
  readonly tenants?: () => Promise<readonly string[]>
  /** Absent where the loop was made without what a comparison needs to know of the bot. */
  readonly comparing?: Comparing
  /** Absent where what passes the gate always serves at once. */
  readonly live?: LiveProof
  /** Absent where the loop was made without the bot's profile. */
  readonly tuning?: Tuning
  plan(options?: TrainOptions): Promise<TrainPlan>
  /** Starts a run and resolves with it at once; follow it with `watch`. */
  start(by: string, options?: TrainOptions): Promise<Job>
  cancel(by: string, tenant?: string): Promise<boolean>
  /** Events of the current run (or of the next one, when none runs) until it ends. */
  watch(signal?: AbortSignal, tenant?: string): AsyncIterable<RunEvent>
  versions(tenant?: string): Promise<readonly VersionInfo[]>
  /** Without a tenant, a version goes into service where it was trained for. */
  promote(version: string, by: string, tenant?: string): Promise<void>
  /** Takes back a canary that is on, else goes back to the version that served before; answers which one serves now. */
  rollback(by: string, tenant?: string): Promise<string>
  /** Steps of the current or last run, for a plot. */
  steps(tenant?: string): readonly Extract<TrainEvent, { type: 'step' }>[]
}
