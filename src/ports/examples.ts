import type { TurnId } from './channel.ts'

/** A question that was asked here, and the answer that people wanted to it. */
export interface Example {
  /** Of the reply that was liked, or of the correction. */
  readonly id: string
  readonly question: string
  readonly answer: string
  /** The reply that was judged. */
  readonly turn: TurnId
  /** Who is behind it: who asked, and who judged or wrote the answer. */
  readonly people: readonly string[]
}

/** Who asks, and which version is going to answer. */
export interface ExampleQuery {
  readonly tenant: string
  readonly person: string
  readonly scopes: readonly string[]
  /** Whose judgements: the asker's alone, or those of everybody of the tenant. */
  readonly of: 'own' | 'tenant'
  /** The version that serves: what it was trained on needs no telling. */
  readonly version: string
  readonly limit: number
  readonly signal?: AbortSignal
}

/** Judged replies as examples for the next question, before any training. */
export interface Examples {
  /** The nearest first; only what the asker may see, and only what still stands in the store. */
  near(question: string, query: ExampleQuery): Promise<readonly Example[]>
  /** Takes note that something was said of a reply; the next question already profits. */
  judged(tenant: string, turn: TurnId): void
  /** Drops all that is in memory: somebody was forgotten. */
  clear(): void
}
