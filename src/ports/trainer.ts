/** Training techniques the trainer knows. */
export const methods = ['dpo', 'sft', 'kto', 'rl', 'explain'] as const
export type Method = (typeof methods)[number]
/** What a run may be asked for: a method, or `auto` for the one that the data allow. */
export const methodChoices = ['auto', ...methods] as const
export type MethodChoice = (typeof methodChoices)[number]

/** Written to `job.json`: the whole of what the Python child is told. All paths are absolute. */
export interface TrainJob {
  readonly id: string
  readonly method: Method
  /** Hugging Face folder of the base model (safetensors + tokenizer). */
  readonly model: string
  /** Folder of a frozen dataset: `train.jsonl`, `holdout.jsonl`, `replay.jsonl`, `dataset.json`. */
  readonly dataset: string
  /** Folder that the LoRA is written to; created by the trainer, complete only once it says `done`. */
  readonly output: string
  readonly seed: number
  readonly hyper: {
    readonly learningRate: number
    readonly epochs: number
    readonly batchSize: number
    readonly beta: number
    /** Weight of the SFT term on the chosen side (0 = none). */
    readonly sftWeight: number
    readonly rank: number
    readonly alpha: number
    readonly maxLength: number
  }
}

/** One JSON line on the trainer's stdout. */
export type TrainEvent =
  | { readonly type: 'hello'; readonly device: string; readonly versions: Readonly<Record<string, string>> }
  | { readonly type: 'stage'; readonly stage: string; readonly state: 'start' | 'done' }
  | {
      readonly type: 'step'
      readonly step: number
      readonly of: number
      readonly loss: number
      readonly margin?: number
      readonly accuracy?: number
      /** Mean reward of sampled replies, and their divergence from the base, where the method has them. */
      readonly reward?: number
      readonly kl?: number
      readonly tokensPerSecond?: number
      readonly etaSeconds?: number
    }
  | {
      readonly type: 'done'
      readonly peft: string
      readonly gguf: string
      readonly sha256: string
      readonly templateSha256: string
    }
  | { readonly type: 'error'; readonly code: string; readonly message: string }

export interface Trainer {
  /** Ends with `done` or throws; aborting ends the process group and leaves no version behind. */
  train(job: TrainJob, signal: AbortSignal): AsyncIterable<TrainEvent>
  /** Makes sure the Python environment is there; says what it does. Throws with what to do when it can't. */
  prepare(say: (line: string) => void, signal?: AbortSignal): Promise<void>
}
