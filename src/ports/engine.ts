/** One message of a compiled prompt, as every chat template understands it. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A trained LoRA: an immutable file under its own path for ever (llama.cpp caches a LoRA by path). */
export interface LoraRef {
  readonly id: string
  readonly path: string
  readonly sha256: string
}

/** Exactly what serves: base model + one LoRA (or none) + the profile version it was trained under. */
export interface Version {
  /** `v0` is the bare base; trained versions count up. */
  readonly id: string
  /** Path of a GGUF, or the name of a model on a server. */
  readonly base: string
  readonly lora?: LoraRef
  /** Profile version the LoRA was trained under; absent on `v0`. */
  readonly profile?: string
}

export interface GenerateOptions {
  readonly maxTokens?: number
  /** 0 is greedy. */
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly signal?: AbortSignal
  /** Same key, longer prompt: the engine may reuse the state of the shared prefix. One thread, one key. */
  readonly cacheKey?: string
}

/** Token counts of one generation. `evaluated` leaves out prompt tokens that came from a cache. */
export interface Usage {
  readonly prompt: number
  readonly evaluated: number
  readonly completion: number
}

export type Delta =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'end'; readonly reason: 'stop' | 'length' | 'aborted'; readonly usage: Usage }

/** Log-probability (natural logarithm) of a reply's tokens, its end-of-turn token included. */
export interface Score {
  readonly logProbability: number
  readonly tokens: number
}

/**
 * What generates text. An engine serves one version for its whole life; {@link EngineSlot} swaps around it.
 * Optional members are capabilities: present means supported.
 */
export interface Engine extends AsyncDisposable {
  readonly version: Version
  /** Longest prompt plus reply, in tokens. */
  readonly contextTokens: number
  /** Ends with exactly one `end` delta. Aborting ends with reason `aborted`; nothing is thrown for it. */
  generate(prompt: readonly ChatMessage[], options?: GenerateOptions): AsyncIterable<Delta>
  /** Tokens of the rendered prompt, chat template included. Absent: the caller estimates by length. */
  countTokens?(prompt: readonly ChatMessage[]): Promise<number>
  /** Scores `reply` after `prompt`; an empty prompt scores `reply` as plain text without the chat template. */
  score?(prompt: readonly ChatMessage[], reply: string, signal?: AbortSignal): Promise<Score>
  /** One vector a text, unit length. */
  embed?(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>
}

/** How an engine is made. Hot swap is: load the next one, prove it, flip, drain the old one. */
export type LoadEngine = (version: Version) => Promise<Engine>

/** Holds the serving engine. A reply finishes on the engine it started on. */
export interface EngineSlot extends AsyncDisposable {
  readonly version: Version
  use<T>(work: (engine: Engine) => Promise<T>): Promise<T>
  /** Loads and proves the next engine before anything changes; on any failure the old one keeps serving. */
  swap(next: Version, prove?: (engine: Engine) => Promise<void>): Promise<void>
  /** Loads a version beside the serving one, for measuring; it never serves and is disposed after `work`. */
  borrow<T>(version: Version, work: (engine: Engine) => Promise<T>): Promise<T>
}
