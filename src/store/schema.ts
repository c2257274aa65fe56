import type { GeneratedAlways, Kysely, Selectable, Transaction } from 'kysely'
import type { ProfileServed } from '../ports/profiles.ts'
import type { DuelOutcome, Job } from '../ports/store.ts'

// Times are whole milliseconds since 1970 and JSON is text, so that both databases keep the same bytes.

/** One turn of the tree; columns that only one role has are null for the other. */
export interface TurnTable {
  /** Order of insertion; the tie-break for turns of the same millisecond. */
  readonly seq: GeneratedAlways<number>
  readonly id: string
  readonly parent: string | null
  readonly tenant: string
  readonly channel: string
  readonly thread: string
  readonly role: 'user' | 'assistant'
  readonly text: string
  readonly at: number
  readonly person: string | null
  /** The event a user turn came from; unique. */
  readonly event: string | null
  /** The event a bot turn answers; a retry's event has no user turn of its own. */
  readonly answers: string | null
  readonly version: string | null
  readonly profile: string | null
  readonly prompt: string | null
  readonly sources: string | null
  readonly usage: string | null
  readonly duel: string | null
  readonly variables: string | null
  /** What a person could see where they asked, as a JSON list. */
  readonly scopes: string | null
  /** The judged examples in a reply's prompt, as JSON. */
  readonly examples: string | null
  /** The output variables of a reply, as JSON. */
  readonly output: string | null
  /** The tools that were called for a reply, as JSON. */
  readonly tools: string | null
  /** The second part of a reply, as JSON. */
  readonly explanation: string | null
  /** Shared by the replies that were given one prompt under one parent: only these may ever pair. */
  readonly family: string | null
}

/** Compiled prompts by the SHA-256 of their canonical JSON. */
export interface PromptTable {
  readonly hash: string
  readonly messages: string
}

/** Which turn a platform message carries. */
export interface MessageTable {
  readonly thread: string
  readonly message: string
  readonly turn: string
}

/** Standing votes only: a withdrawn vote has no row. */
export interface VoteTable {
  readonly turn: string
  readonly person: string
  readonly verdict: 'up' | 'down'
  readonly reason: string | null
  readonly at: number
}

/** Better texts that people wrote. */
export interface CorrectionTable {
  readonly seq: GeneratedAlways<number>
  readonly id: string
  readonly turn: string
  readonly person: string
  readonly text: string
  readonly at: number
}

/** One person's judgement of one duel. */
export interface DuelTable {
  readonly id: string
  readonly left_turn: string
  readonly right_turn: string
  readonly person: string
  readonly outcome: DuelOutcome
  readonly at: number
}

/** Every event ever claimed. The content is kept only until the event is settled. */
export interface InboxTable {
  readonly seq: GeneratedAlways<number>
  /** SHA-256 of the event id: it outlives `forget` without naming anybody. */
  readonly id: string
  readonly person: string | null
  readonly event: string | null
  readonly outcome: 'answered' | 'ignored' | 'given-up' | 'forgotten' | null
  readonly why: string | null
}

/** Uses of tools for events that have no reply yet. */
export interface CallTable {
  readonly event: string
  readonly nth: number
  readonly person: string
  readonly call: string
}

/** Training runs. */
export interface JobTable {
  readonly seq: GeneratedAlways<number>
  readonly id: string
  readonly kind: Job['kind']
  readonly state: Job['state']
  readonly by: string
  readonly started_at: number
  readonly ended_at: number | null
  readonly detail: string
}

/** What served, newest row last. */
export interface ServingTable {
  readonly seq: GeneratedAlways<number>
  readonly version: string
  readonly by: string
  readonly why: string
  readonly at: number
  /** Empty for the operator's own tenants. */
  readonly tenant: string
}

/** Which profile served, newest row last. */
export interface ProfileLogTable {
  readonly seq: GeneratedAlways<number>
  readonly name: string
  readonly version: string
  readonly by: string
  readonly why: ProfileServed['why']
  readonly at: number
}

/** Profile versions. */
export interface ProfileTable {
  readonly seq: GeneratedAlways<number>
  readonly version: string
  readonly name: string
  /** Empty once somebody who is behind it was forgotten. */
  readonly content: string
  readonly at: number
  /** JSON of a `ProfileMade`; null where a person wrote it. */
  readonly made: string | null
}

/** Who does not want to be told what their votes changed, by the SHA-256 of their id. */
export interface QuietTable {
  readonly person: string
}

/** Every table, as Kysely wants it. */
export interface Tables {
  readonly turn: TurnTable
  readonly prompt: PromptTable
  readonly message: MessageTable
  readonly vote: VoteTable
  readonly correction: CorrectionTable
  readonly duel: DuelTable
  readonly inbox: InboxTable
  readonly tool_call: CallTable
  readonly job: JobTable
  readonly serving: ServingTable
  readonly profile: ProfileTable
  readonly profile_log: ProfileLogTable
  readonly quiet: QuietTable
}

/** A turn as the database answers it. */
export type TurnRow = Selectable<TurnTable>

/** A connection or a transaction on the tables above. */
export type Db = Kysely<Tables>

/** Does the work on a connection of its own choice and resolves once the result is on disk. */
export type Write = <T>(work: (on: Db) => Promise<T>) => Promise<T>

/** What differs between the two databases once their dialects are set up. */
export interface Flavour {
  readonly name: 'sqlite' | 'postgres'
  /** How one statement is written, and how several are written as one. */
  writers(db: Db): { readonly write: Write; readonly writeAll: Write }
  /** Keeps every other writer out until the transaction ends. */
  alone(transaction: Transaction<Tables>): Promise<void>
  /** After a deletion: leaves no deleted text behind in files that Hone owns. */
  scrub(db: Db): Promise<void>
}

/** What each part of the store works on. */
export interface Session {
  readonly db: Db
  readonly flavour: Flavour
  /** Writes one statement. */
  readonly write: Write
  /** Writes several statements: all of them or none. */
  readonly writeAll: Write
}
