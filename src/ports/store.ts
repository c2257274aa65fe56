import type { Inbound, MessageRef, Source, ThreadId, TurnId } from './channel.ts'
import type { ChatMessage, Usage } from './engine.ts'

interface TurnBase {
  readonly id: TurnId
  /** Null at the start of a thread. Siblings share a parent. */
  readonly parent: TurnId | null
  readonly tenant: string
  readonly channel: string
  readonly thread: ThreadId
  readonly text: string
  readonly at: Date
}
export interface UserTurn extends TurnBase {
  readonly role: 'user'
  readonly person: string
  /** The inbound event it came from; unique, so a redelivered event appends nothing. */
  readonly event: string
}
export interface BotTurn extends TurnBase {
  readonly role: 'assistant'
  readonly version: string
  readonly profile: string
  /** Hash of the compiled prompt the model saw; the messages are stored once under it. */
  readonly prompt: string
  readonly sources: readonly Source[]
  readonly usage: Usage
  /** Set when the reply was shown as one side of a duel. */
  readonly duel?: string
}
export type Turn = UserTurn | BotTurn
/** The compiled prompt goes in whole and is stored once, under its hash. */
export type NewBotTurn = Omit<BotTurn, 'prompt'> & { readonly prompt: readonly ChatMessage[] }

/** The tree of turns. */
export interface Turns {
  /** Appending the same event twice returns the first turn. */
  appendUser(turn: UserTurn): Promise<UserTurn>
  /**
   * Appends the replies to an event, once: a second call for the same event returns the first replies.
   * With `asked`, the person's turn is appended with them, all or none; if that event has one already, it is the parent.
   */
  appendBot(turns: readonly NewBotTurn[], eventId: string, asked?: UserTurn): Promise<readonly BotTurn[]>
  /** What was already answered to an event: after a crash it is delivered again, not generated again. */
  answers(eventId: string): Promise<readonly BotTurn[]>
  get(id: TurnId): Promise<Turn | undefined>
  /** The messages behind a `BotTurn.prompt` hash; a retry answers these, unchanged. */
  prompt(hash: string): Promise<readonly ChatMessage[]>
  /** The newest branch of a thread, oldest first; replies that were replaced are left out. */
  history(thread: ThreadId, limit: number): Promise<readonly Turn[]>
  /** Newest first, for lists of threads. */
  threads(
    tenant: string,
    person: string,
    limit: number,
  ): Promise<readonly { readonly thread: ThreadId; readonly title: string; readonly at: Date }[]>
}

/** Which platform message carries which turn. */
export interface Messages {
  /** Links platform messages to the turn they carry, so that a vote on any of them finds it. */
  link(turn: TurnId, messages: readonly MessageRef[]): Promise<void>
  find(message: MessageRef): Promise<Turn | undefined>
}

export type Verdict = 'up' | 'down' | 'none'
export interface Vote {
  readonly turn: TurnId
  readonly person: string
  /** `none` withdraws. */
  readonly verdict: Verdict
  readonly reason?: string
  readonly at: Date
}
export interface Correction {
  readonly id: string
  readonly turn: TurnId
  readonly person: string
  readonly text: string
  readonly at: Date
}
export type DuelOutcome = 'left' | 'right' | 'tie' | 'both-bad'
export interface Duel {
  readonly id: string
  readonly left: TurnId
  readonly right: TurnId
  readonly person: string
  readonly outcome: DuelOutcome
  readonly at: Date
}
/** Every bot turn that was given one compiled prompt under one parent, with what people said of it. */
export interface Judged {
  readonly tenant: string
  readonly channel: string
  readonly thread: ThreadId
  readonly promptHash: string
  readonly prompt: readonly ChatMessage[]
  readonly replies: readonly {
    readonly turn: BotTurn
    readonly votes: readonly Vote[]
    readonly corrections: readonly Correction[]
  }[]
  readonly duels: readonly Duel[]
}
export interface VoteCount {
  readonly day: string
  readonly version: string
  readonly up: number
  readonly down: number
}

export interface TurnFeedback {
  readonly votes: readonly Vote[]
  readonly corrections: readonly Correction[]
  readonly duels: readonly Duel[]
}

/** Votes, corrections and duels. */
export interface Feedback {
  /** Last vote per person and turn wins; repeating one changes nothing. On disk once it resolves. */
  vote(vote: Vote): Promise<void>
  correct(correction: Correction): Promise<void>
  duel(duel: Duel): Promise<void>
  /** Judged prompts, oldest first; a prompt nobody judged is left out. */
  judged(tenant?: string): AsyncIterable<Judged>
  counts(): Promise<readonly VoteCount[]>
  ofTurn(turn: TurnId): Promise<TurnFeedback>
  /** Deletes what a person wrote, the replies to it, and every vote they cast. Returns the rows deleted. */
  forget(person: string): Promise<number>
}

/** Events that were acknowledged to a platform and must therefore be handled. */
export interface Inbox {
  /** Keeps the event and answers true, once per event id, for ever, across processes. */
  claim(event: Inbound): Promise<boolean>
  /** Answered and delivered, ignored, or given up on: nothing more will happen for this event. */
  settle(eventId: string, outcome: 'answered' | 'ignored' | 'given-up', why?: string): Promise<void>
  /** What a crash left behind, oldest first; queued again at start. */
  unsettled(): Promise<readonly Inbound[]>
}

/** A training run as the store keeps it. */
export interface Job {
  readonly id: string
  readonly kind: 'train'
  readonly state: 'running' | 'promoted' | 'held' | 'refused' | 'failed' | 'cancelled'
  readonly by: string
  readonly startedAt: Date
  readonly endedAt?: Date
  /** Plain JSON: plan, last step, the gate's report, the error. */
  readonly detail: Readonly<Record<string, unknown>>
}
export interface Jobs {
  /** Fails with BUSY while another job of its kind runs. */
  start(job: Job): Promise<void>
  update(id: string, change: Partial<Pick<Job, 'state' | 'endedAt' | 'detail'>>): Promise<void>
  get(id: string): Promise<Job | undefined>
  /** Newest first. */
  list(limit: number): Promise<readonly Job[]>
}

/** Which version serves, and who said so. The versions themselves are folders in the registry. */
export interface Serving {
  current(): Promise<string>
  set(version: string, by: string, why: string): Promise<void>
  /** Newest first. */
  log(
    limit: number,
  ): Promise<readonly { readonly version: string; readonly by: string; readonly why: string; readonly at: Date }[]>
}

/** Profile versions by content hash; the newest of a name is current. */
export interface Profiles {
  put(name: string, version: string, content: string): Promise<void>
  get(version: string): Promise<{ readonly name: string; readonly content: string } | undefined>
  list(): Promise<readonly { readonly name: string; readonly version: string; readonly at: Date }[]>
}

export interface Store extends AsyncDisposable {
  readonly turns: Turns
  readonly messages: Messages
  readonly feedback: Feedback
  readonly inbox: Inbox
  readonly jobs: Jobs
  readonly serving: Serving
  readonly profiles: Profiles
}
