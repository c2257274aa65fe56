import type { ThreadId, TurnId } from './channel.ts'

/** Which past threads are answered again, and how far it goes. Plain data. */
export interface ReplayOptions {
  /** The candidate, as the text of a profile. */
  readonly profile: string
  /** Whose threads; absent: those of the only tenant there is. */
  readonly tenant?: string
  /** How many threads at most (20). */
  readonly threads?: number
  /** Only threads with a reply from then on, ISO 8601. */
  readonly since?: string
  /** `voted`: threads with a judged reply come first. */
  readonly first?: 'recent' | 'voted'
  /** How many messages at most (100). */
  readonly turns?: number
  /** How long at most (10). */
  readonly minutes?: number
}

/** One of the two replies to a message. */
export interface ReplaySide {
  readonly text: string
  readonly version: string
  readonly profile: string
  /** Titles of the sources that it cites. */
  readonly cites: readonly string[]
  /** It says that it doesn't know. */
  readonly declines: boolean
  readonly words: number
  /** Of the reply on record: from the message to the reply, waiting included. */
  readonly seconds: number
}

/** What is otherwise in the new reply. */
export type ReplayChange = 'words' | 'sources' | 'refusal'

/** A person's message with the reply on record and the candidate's. */
export interface ReplayedTurn {
  readonly thread: ThreadId
  readonly channel: string
  readonly question: string
  readonly askedAt: Date
  /** The reply on record. */
  readonly turn: TurnId
  readonly old: ReplaySide
  /** What people said of the reply on record. */
  readonly said: { readonly up: number; readonly down: number; readonly corrections: readonly string[] }
  /** Absent where the candidate could not answer; `why` says why. */
  readonly fresh?: ReplaySide
  readonly why?: string
  readonly changes: readonly ReplayChange[]
  /** The documents gave passages that the reply on record did not have. */
  readonly otherPassages: boolean
}

/** What came of a replay, counted over the messages that the candidate answered. */
export interface ReplaySummary {
  readonly answered: number
  readonly unanswered: number
  readonly changed: number
  /** Of the replies on record, and of the candidate's. */
  readonly words: readonly [old: number, fresh: number]
  readonly cites: readonly [old: number, fresh: number]
  readonly declines: readonly [old: number, fresh: number]
  /** Replies on record that people liked, or disliked or corrected, and how many of them are otherwise now. */
  readonly liked: readonly [all: number, changed: number]
  readonly disliked: readonly [all: number, changed: number]
  /** Mean of the candidate's. */
  readonly seconds: number
}

export interface Replay {
  readonly id: string
  readonly state: 'running' | 'done' | 'cancelled' | 'failed'
  readonly by: string
  readonly startedAt: Date
  readonly endedAt?: Date
  readonly tenant: string
  /** The candidate's version. */
  readonly profile: string
  /** The candidate's text. */
  readonly source: string
  readonly threads: number
  /** Messages that are to be answered. */
  readonly planned: number
  readonly turns: readonly ReplayedTurn[]
  readonly summary: ReplaySummary
  /** Why it ended before all was answered. */
  readonly note?: string
}

/** What a candidate may begin from, and whose threads there are. */
export interface ReplayChoices {
  readonly tenants: readonly string[]
  /** Newest first. */
  readonly versions: readonly { readonly version: string; readonly createdAt: Date; readonly serving: boolean }[]
}

/** Past threads answered again by a candidate profile, one replay at a time. Kept in memory alone, the newest only. */
export interface Replays {
  choices(): Promise<ReplayChoices>
  /** A version's text; without one, that of the profile that serves. */
  source(version?: string): Promise<string>
  /** Resolves once it is known what will be answered. @throws HoneError BUSY, INPUT, CONFIG, NOT_FOUND */
  start(options: ReplayOptions, by: string): Promise<Replay>
  last(): Replay | undefined
  /** Messages of a replay from number `after` on, until it ends or is gone. */
  watch(id: string, after?: number, signal?: AbortSignal): AsyncIterable<ReplayedTurn>
  /** False when none runs. What was answered stays to be looked at. */
  cancel(): boolean
  /** Lets the candidate of this replay serve, and answers its version. @throws HoneError NOT_FOUND when it is gone */
  promote(id: string, by: string): Promise<string>
  /** Ends a replay and drops what it had: somebody was forgotten. */
  clear(): void
}
