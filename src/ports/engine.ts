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

/** A model of its own: an immutable GGUF under its own path for ever. */
export interface ModelRef {
  readonly path: string
  readonly sha256: string
}

/** Exactly what serves: base model + one LoRA (or none), or a whole model, + the profile version it was trained under. */
export interface Version {
  /** `v0` is the bare base; trained versions count up. */
  readonly id: string
  /** Path of a GGUF, or the name of a model on a server. */
  readonly base: string
  readonly lora?: LoraRef
  /** Every weight of the base was trained: this model serves in its place, without a LoRA. */
  readonly model?: ModelRef
  /** Profile version it was trained under; absent on `v0`. */
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

/** JSON Schema, in the part that a grammar can hold a model to; `src/prompt/schema.ts` says which that is. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A schema that was filled in. */
export interface Filled {
  readonly value: unknown
  readonly usage: Usage
}

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
  /**
   * Answers a prompt with JSON that a grammar holds to `schema`, an object. Absent: the engine can't be held to one.
   *
   * @throws HoneError CANCELLED when aborted, ENGINE_FAILED when the JSON isn't whole after `maxTokens`
   */
  fill?(prompt: readonly ChatMessage[], schema: JsonSchema, options?: GenerateOptions): Promise<Filled>
  /** Tokens of the rendered prompt, chat template included. Absent: the caller estimates by length. */
  countTokens?(prompt: readonly ChatMessage[]): Promise<number>
  /** Scores `reply` after `prompt`; an empty prompt scores `reply` as plain text without the chat template. */
  score?(prompt: readonly ChatMessage[], reply: string, signal?: AbortSignal): Promise<Score>
  /** It can load a PEFT soft prompt (virtual tokens before every prompt). No engine that comes with Hone can. */
  readonly softPrompt?: true
  /** One vector a text, unit length. */
  embed?(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>
}

/** How an engine is made. Hot swap is: load the next one, prove it, flip, drain the old one. */
export type LoadEngine = (version: Version) => Promise<Engine>

/** A version that answers some threads beside the serving one. */
export interface CanaryEngine {
  readonly version: Version
  /** Whether it answers this thread; undefined where a thread takes no part in the comparison of the two. */
  takes(thread: string): Promise<boolean | undefined>
  /** Told of each answer: with the error where it failed and the serving version answered in its place, or nobody did. */
  answered(error?: unknown): void
}

/** What serves one tenant. A reply finishes on the engine it started on. */
export interface TenantSlot {
  readonly version: Version
  /** They have a version of their own, and take no part in the operator's canary. */
  readonly own?: boolean
  /**
   * Gives the engine that answers `thread`, and where a canary is on, the other of the two as `rival`. A canary that
   * fails before it has said anything is stood in for by the serving engine; `engine.version` says which one it was.
   */
  use<T>(work: (engine: Engine, rival?: Engine) => Promise<T>, thread?: string): Promise<T>
  /** Loads and proves the next engine before anything changes; on any failure the old one keeps serving. Ends a canary. */
  swap(next: Version, prove?: (engine: Engine) => Promise<void>): Promise<void>
  /** Loads a version beside the serving one, for measuring; it never serves and is disposed after `work`. */
  borrow<T>(version: Version, work: (engine: Engine) => Promise<T>): Promise<T>
  /** The version that answers a thread. Absent: the serving one answers all. */
  versionFor?(thread: string): Promise<Version>
  /** Gives up the tenant's own version: what serves the operator's own tenants serves it too. */
  leave?(): Promise<void>
}

/** Holds the serving engines: one for the operator's own tenants, and those of tenants with versions of their own. */
export interface EngineSlot extends TenantSlot, AsyncDisposable {
  /** What serves this tenant. Absent: one version serves all. */
  of?(tenant: string): Promise<TenantSlot>
  /** Lets a version answer its threads once it is loaded and proven; without one, the serving version answers all again. */
  canary?(next?: CanaryEngine, prove?: (engine: Engine) => Promise<void>): Promise<void>
}
