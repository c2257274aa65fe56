import type { Calls } from './calls.ts'
import type { Inbound, MessageRef, Source, ThreadId, TurnId } from './channel.ts'
import type { ChatMessage, Usage } from './engine.ts'
import type { Past } from './past.ts'
import type { Profiles } from './profiles.ts'
import type { Trials } from './trials.ts'

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
  /** What the person could see where they asked; absent where it wasn't kept. */
  readonly scopes?: readonly string[]
  /** The inbound event it came from; unique, so a redelivered event appends nothing. */
  readonly event: string
}
/** A judged question and its answer that stand in a reply's prompt, so that the model answers as people wished there. */
export interface ToldExample {
  /** Of the reply that was liked, or of the correction. */
  readonly id: string
  /** The reply that was judged. */
  readonly turn: TurnId
  /** Who is behind it: who asked, and who judged or wrote the answer. */
  readonly people: readonly string[]
  /** Where in the prompt its question stands; its answer comes next. */
  readonly at: number
}
/** What a reply's output variables came to, or the code of the error that kept them from being read. */
export type Output = { readonly values: Readonly<Record<string, unknown>> } | { readonly failed: string }
/** Why a reply's answer is so, in the model's words: the second part of the reply. */
export interface Explanation {
  /** What was asked for; `auto` is resolved. */
  readonly style: string
  /** With the answer, behind it for who asks for it, or kept alone. */
  readonly show: 'shown' | 'folded' | 'hidden'
  readonly text: string
  /** The whole reply as the model wrote it: the thread's next prompt goes on from it, and training may learn from it. */
  readonly said: string
}
/** One use of a tool, for the record. */
export interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  /**
   * `waiting` for the person's yes, or `declined` by them; `late`: it did not answer in time; `unknown`: a crash or a
   * stop came in between, so it isn't called again; `repeated`: the model wanted the very same once more.
   */
  readonly state: 'done' | 'failed' | 'late' | 'unknown' | 'repeated' | 'waiting' | 'declined'
  /** What the model was told of it; absent while it waits. */
  readonly result?: string
  readonly ms?: number
}
export interface BotTurn extends TurnBase {
  readonly role: 'assistant'
  readonly version: string
  readonly profile: string
  /** Hash of the compiled prompt the model saw; the messages are stored once under it. */
  readonly prompt: string
  readonly sources: readonly Source[]
  readonly usage: Usage
  /** Values of the profile's variables, the `tone` and the style of `explanation`, as the model was told them; absent where there were none. */
  readonly variables?: Readonly<Record<string, string>>
  /** The judged examples in its prompt; absent where there are none. */
  readonly examples?: readonly ToldExample[]
  /** Absent where the profile had no output variables. */
  readonly output?: Output
  /** The tools that were called for it, in order; absent where none was. */
  readonly tools?: readonly ToolCall[]
  /** Absent where none was asked for, or none came; `text` is the answer without it. */
  readonly explanation?: Explanation
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
   * What `calls` kept for the event goes: replies have it.
   */
  appendBot(turns: readonly NewBotTurn[], eventId: string, asked?: UserTurn): Promise<readonly BotTurn[]>
  /** What was already answered to an event: after a crash it is delivered again, not generated again. */
  answers(eventId: string): Promise<readonly BotTurn[]>
  get(id: TurnId): Promise<Turn | undefined>
  /** The messages behind a `BotTurn.prompt` hash; a retry answers these, unchanged. */
  prompt(hash: string): Promise<readonly ChatMessage[]>
  /** The newest branch of a thread, oldest first; replies that were replaced are left out. */
  history(thread: ThreadId, limit: number): Promise<readonly Turn[]>
  /** Whether a person wrote in a thread. */
  wroteIn(thread: ThreadId, person: string): Promise<boolean>
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
  /**
   * Without the judged examples that stood in it: a model that is trained with them beside the question does not learn
   * what they say, and what one person said has no place in a row of another's. Without requests for explanations, too:
   * people judge answers, and what is trained on an answer alone must not be asked for more.
   */
  readonly prompt: readonly ChatMessage[]
  /** With those requests, where one of the replies has an explanation. */
  readonly explaining?: readonly ChatMessage[]
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

/** What one person said of replies: standing votes, and better answers. */
export interface PersonCount {
  readonly up: number
  readonly down: number
  readonly corrections: number
}

export interface TurnFeedback {
  readonly votes: readonly Vote[]
  readonly corrections: readonly Correction[]
  readonly duels: readonly Duel[]
}

/** Which judged prompts. */
export interface JudgedOnly {
  readonly tenant?: string
  /** That of this reply alone. */
  readonly turn?: TurnId
  /** This many at most, the newest. */
  readonly newest?: number
}

/** Votes, corrections and duels. */
export interface Feedback {
  /** Last vote per person and turn wins; repeating one changes nothing. On disk once it resolves. */
  vote(vote: Vote): Promise<void>
  correct(correction: Correction): Promise<void>
  duel(duel: Duel): Promise<void>
  /** Judged prompts, oldest first; a prompt nobody judged is left out. */
  judged(only?: JudgedOnly): AsyncIterable<Judged>
  /** Of all tenants; or of one, where the operator's own count as one. */
  counts(tenant?: string): Promise<readonly VoteCount[]>
  /** Counted in the database: the work grows with what the person said, not with the store. */
  countsOf(tenant: string, person: string): Promise<PersonCount>
  ofTurn(turn: TurnId): Promise<TurnFeedback>
  /**
   * Deletes what a person wrote, the replies to it, and every vote they cast; takes examples that they are behind out of
   * the prompts of others. Returns the rows deleted.
   */
  forget(person: string): Promise<number>
}

/** Events that were acknowledged to a platform and must therefore be handled. */
export interface Inbox {
  /** Keeps the event and answers true, once per event id, for ever, across processes. */
  claim(event: Inbound): Promise<boolean>
  /** Keeps more of an unsettled event than was known when it came: in which messages its reply is being shown, say. */
  amend(event: Inbound): Promise<void>
  /** Answered and delivered, ignored, or given up on: nothing more will happen for this event. */
  settle(eventId: string, outcome: 'answered' | 'ignored' | 'given-up', why?: string): Promise<void>
  /** What a crash left behind, oldest first; queued again at start. */
  unsettled(): Promise<readonly Inbound[]>
}

/**
 * A training run, a comparison (`compared` once it has ended), or a search for a prompt, as the store keeps it. `kept`:
 * what was made is there, and nothing serves it.
 */
export interface Job {
  readonly id: string
  readonly kind: 'train'
  readonly state: 'running' | 'promoted' | 'canary' | 'held' | 'refused' | 'compared' | 'kept' | 'failed' | 'cancelled'
  readonly by: string
  readonly startedAt: Date
  readonly endedAt?: Date
  /** Plain JSON: plan, last step, the gate's report, the error; `compare` is there for a comparison alone, `tune` for a search. */
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

/** One entry of the log of what served. */
export interface Served {
  /** Empty where a tenant gave up its own version. */
  readonly version: string
  readonly by: string
  readonly why: string
  readonly at: Date
  /** Empty for the operator's own tenants, and for all where tenants learn together. */
  readonly tenant: string
}

/** Which version serves whom, and who said so. The versions themselves are folders in the registry. */
export interface Serving {
  /** Empty for a tenant that has no version of its own; for the operator's, `v0` at first. */
  current(tenant?: string): Promise<string>
  set(version: string, by: string, why: string, tenant?: string): Promise<void>
  /** Newest first; of all tenants, or of one. */
  log(limit: number, tenant?: string): Promise<readonly Served[]>
  /** Tenants, without the operator's, for which anything was ever set. */
  tenants(): Promise<readonly string[]>
}

/** What people want of the bot. Kept under a hash of their id: it outlives `forget`, and names nobody. */
export interface Wishes {
  /** Whether they want to be told what their votes changed; they do until they say otherwise. */
  receipts(person: string): Promise<boolean>
  setReceipts(person: string, wanted: boolean): Promise<void>
}

export interface Store extends AsyncDisposable {
  readonly turns: Turns
  readonly messages: Messages
  readonly feedback: Feedback
  readonly inbox: Inbox
  readonly jobs: Jobs
  readonly serving: Serving
  readonly trials: Trials
  readonly profiles: Profiles
  readonly calls: Calls
  readonly past: Past
  readonly wishes: Wishes
}
