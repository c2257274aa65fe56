import type { Engine, TenantSlot } from '../src/ports/engine.ts'
import type { GateReport, MemoryPlan, TrainOptions } from '../src/ports/learning.ts'
import type { Store } from '../src/ports/store.ts'
import type { Fit, TrainEvent, Trainer } from '../src/ports/trainer.ts'
import type { Golden } from './measure.ts'
import type { Hyper } from './recipes.ts'
import type { Registry } from './registry.ts'
import type { Selection } from './select.ts'
import type { Whose } from './tenants.ts'

/** Everything a run works with. */
export interface RunParts {
  readonly store: Store
  /** What serves whom the run is for. */
  readonly slot: TenantSlot
  readonly registry: Registry
  readonly trainer: Trainer
  /** Puts what passed the gate into service: before a share of the threads, or before all. */
  readonly serve: (version: string, by: string, why: string) => Promise<'canary' | 'promoted'>
  /** The base model: a GGUF's path or a server's model name. */
  readonly base: string
  /** SHA-256 of the chat template that the engine serves with, where it tells. */
  readonly templateSha256?: string
  /** Hugging Face folder that training starts from. */
  readonly modelFolder: string
  /**
   * Loads an engine that knows better, for as long as `work` takes: it writes explained answers (without it, the base
   * model does) and judges fresh ones (without it, rules alone do).
   */
  readonly teacher?: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>
  readonly dataDir: string
}

/** One run: what was asked for, and by whom. */
export interface RunRequest {
  readonly id: string
  readonly by: string
  readonly whose?: Whose
  readonly selection: Selection
  readonly hyper: Hyper
  readonly fit: Fit
  /** Said at the start, where it is known. */
  readonly memory?: MemoryPlan
  readonly golden: readonly Golden[]
  readonly seed: number
  readonly options: TrainOptions
  readonly startedAt: Date
}

/** Where a run tells what happens. */
export interface RunVoice {
  say(text: string): void
  step(event: TrainEvent): void
  report(report: GateReport): void
  readonly signal: AbortSignal
}

/** How a run ended: the version it made, and what became of it. */
export interface RunOutcome {
  readonly version: string
  readonly state: 'canary' | 'promoted' | 'held' | 'refused'
}

/** What a trainer said of what it made. */
export type Done = Extract<TrainEvent, { type: 'done' }>
/** A LoRA that can be served. */
export type MadeLora = Done & { readonly gguf: string }
