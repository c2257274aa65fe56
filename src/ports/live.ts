import type { Job } from './store.ts'

/** People who like and who dislike; for duels, who prefer the one and who prefer the other. */
export interface Tally {
  readonly up: number
  readonly down: number
}

/** A version that passed the gate and answers a share of the threads, to be proven on what people say of it. */
export interface Canary {
  readonly version: string
  /** What answers the other threads. */
  readonly incumbent: string
  /** Share of threads, 0 to 1. */
  readonly share: number
  readonly startedAt: Date
  /** Its time or its number of verdicts was over before anything was decided: an admin decides. */
  readonly held: boolean
  /** People, by what most of their thumbs on each version's replies say. */
  readonly thumbs: { readonly canary: Tally; readonly incumbent: Tally }
  /** People, by which version won most of their duels: the canary `up`. */
  readonly duels: Tally
  /** E-values; the first that reaches `decides` decides. */
  readonly evidence: { readonly better: number; readonly worse: number; readonly decides: number }
  /** All of it in a line for people. */
  readonly summary: string
}

/** What became of a canary. It is in the serving log when this is told. */
export interface CanaryNews {
  readonly kind: 'begun' | 'held' | 'ended'
  readonly version: string
  readonly text: string
}

/** The live proof of versions that passed the gate. One canary at a time. */
export interface LiveProof {
  /** The canary that is on. */
  canary(): Promise<Canary | undefined>
  /** Counts again what people said, and promotes or rolls back if it is enough. Never throws. */
  look(): Promise<void>
  /** What became of a version's canary; undefined while it is on. */
  became(version: string): Promise<string | undefined>
  /** Calls back with news; call the result to stop. */
  on(listener: (news: CanaryNews) => void): () => void
}

/** What became of the canary that a run ended in; undefined while it is on, and for any other run. */
export async function canaryEnd(
  job: Pick<Job, 'state' | 'detail'> | undefined,
  live: Pick<LiveProof, 'became'> | undefined,
): Promise<string | undefined> {
  const version = job?.state === 'canary' ? job.detail['version'] : undefined
  return typeof version === 'string' ? live?.became(version) : undefined
}
