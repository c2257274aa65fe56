import type { ErrorCode } from '../../errors.ts'
import type { ChatMessage, Delta, GenerateOptions, JsonSchema, LoraRef, Score } from '../../ports/engine.ts'

/** What the child says about the model that it has loaded. */
export interface ModelFacts {
  readonly trainedTokens: number
  /** True for an embedding model; it can't generate. */
  readonly embeds: boolean
  readonly device: string
}

export interface OpenOptions {
  readonly context: number
  readonly parallel: number
  /** 0: what the model was trained for, at most 8192. */
  readonly contextTokens: number
  readonly lora?: LoraRef
}

export type End = Extract<Delta, { kind: 'end' }>

/** Every operation of the child: what goes in, what comes out. `context` names an engine's context. */
export interface Calls {
  start: { in: { model: string; gpu: boolean; threads: number }; out: ModelFacts }
  open: { in: OpenOptions; out: { contextTokens: number } }
  close: { in: { context: number }; out: undefined }
  generate: {
    in: {
      context: number
      prompt: readonly ChatMessage[]
      options: Omit<GenerateOptions, 'signal'>
      /** What the reply is held to. */
      schema?: JsonSchema
    }
    out: End
  }
  count: { in: { prompt: readonly ChatMessage[] }; out: number }
  score: { in: { context: number; prompt: readonly ChatMessage[]; reply: string }; out: Score }
  tokenize: { in: { texts: readonly string[] }; out: number[][] }
  embed: { in: { texts: readonly string[] }; out: Float32Array[] }
}

export type Op = keyof Calls

/** Parent to child. An `abort` names the call that it ends. */
export type Request =
  | { [K in Op]: { readonly id: number; readonly op: K; readonly input: Calls[K]['in'] } }[Op]
  | { readonly id: number; readonly op: 'abort' }

/** An error on its way from child to parent. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

/** Child to parent. `texts` carries what all generations said in one turn of the child's event loop. */
export type Reply =
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'texts'; readonly texts: readonly (readonly [id: number, text: string])[] }
  | { readonly kind: 'log'; readonly level: 'debug' | 'warn'; readonly message: string }
