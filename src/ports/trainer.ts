/** Training techniques the trainer knows. */
export const methods = ['dpo', 'sft', 'kto', 'rl', 'explain', 'full', 'soft-prompt'] as const
export type Method = (typeof methods)[number]
/** What a run may be asked for: a method, or `auto` for the one that the newest comparison advises, else that the data allow. */
export const methodChoices = ['auto', ...methods] as const
export type MethodChoice = (typeof methodChoices)[number]

/** Written to `job.json`: the whole of what the Python child is told. All paths are absolute. */
export interface TrainJob {
  readonly id: string
  readonly method: Method
  /** Hugging Face folder of the base model (safetensors + tokenizer). */
  readonly model: string
  /** The base's GGUF, which a fine-tuned model takes all but its weights from; with `full` alone. */
  readonly gguf?: string
  /** Folder of a frozen dataset: `train.jsonl`, `holdout.jsonl`, `replay.jsonl`, `dataset.json`. */
  readonly dataset: string
  /** Folder that the LoRA or the model is written to; created by the trainer, complete only once it says `done`. */
  readonly output: string
  readonly seed: number
  readonly hyper: {
    readonly learningRate: number
    readonly epochs: number
    readonly batchSize: number
    readonly beta: number
    /** Weight of the SFT term on the chosen side (0 = none). */
    readonly sftWeight: number
    /** Share of pairs that DPO takes to be the wrong way round, in a loss that reckons with it (0 = the plain loss). */
    readonly labelSmoothing: number
    /** How much of a LoRA is published, above 0 and at most 1: its alpha is multiplied by it once it is trained. */
    readonly strength: number
    /** Of a LoRA; the number of virtual tokens of a soft prompt. */
    readonly rank: number
    readonly alpha: number
    /** The layers that get a LoRA: all linear ones, or the feed-forward ones alone, so that attention stays as it is. */
    readonly targets: 'all-linear' | 'mlp'
    readonly maxLength: number
  }
  readonly fit: Fit
  /** Seconds between checkpoints. */
  readonly checkpointSeconds: number
}

/** How a run fits the machine: it changes memory and speed, and what is learned only in the last digits. */
export interface Fit {
  /** Rows at once; gradients are added up until `batchSize` is reached. It divides `batchSize`. */
  readonly microBatch: number
  /** Activations are computed again in the backward pass instead of being kept. */
  readonly checkpointing: boolean
  /** Processes that share each step, with `microBatch` rows each at once; together they divide `batchSize`. Absent: one. */
  readonly processes?: number
  /** Each process has a part of the weights instead of all (FSDP2); on GPUs alone. */
  readonly sharded?: true
}

/** Where a run would be, and how much memory it could have. */
export interface Machine {
  readonly device: 'cpu' | 'cuda'
  /** Of all memory on the CPU; of the fullest GPU that takes part else. */
  readonly freeMb: number
  /** Processes that a run is shared by: GPUs, or what the operator asked for on the CPU. Absent: one. */
  readonly processes?: number
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
      /** The most memory it had at once so far. */
      readonly memoryMb?: number
    }
  /** It ran out of memory and goes on with less at once. */
  | ({ readonly type: 'adjust'; readonly why: string } & Fit)
  | {
      readonly type: 'done'
      /** Absent where a GGUF alone was made, and where every weight was trained. */
      readonly peft?: string
      /** Hugging Face folder of a model of which every weight was trained; `gguf` is then that model. */
      readonly model?: string
      /** Absent for a soft prompt: GGUF has no form for it. */
      readonly gguf?: string
      readonly sha256: string
      readonly templateSha256: string
    }
  | { readonly type: 'error'; readonly code: string; readonly message: string }

export interface Trainer {
  /** Ends with `done` or throws; aborting ends the process group and leaves no version behind. */
  train(job: TrainJob, signal: AbortSignal): AsyncIterable<TrainEvent>
  /** Makes sure the Python environment is there; says what it does. Throws with what to do when it can't. */
  prepare(say: (line: string) => void, signal?: AbortSignal): Promise<void>
  /** What it would run on; absent where it can't know. */
  machine?(): Promise<Machine>
  /** It can train every weight (`full`). Absent: it makes LoRAs alone. */
  readonly full?: true
}
