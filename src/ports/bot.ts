import type { Channel, Inbound, Person, ReplyEvent, ThreadId, TurnId } from './channel.ts'
import type { Learning, PairTrace } from './learning.ts'
import type { Replays } from './replay.ts'
import type { BotTurn, DuelOutcome, Store, Verdict, Vote } from './store.ts'

/** What a person says about a reply. On disk once `bot.feedback` resolves. */
export type FeedbackEvent = {
  readonly tenant: string
  readonly person: Person
} & (
  | { readonly kind: 'vote'; readonly turn: TurnId; readonly verdict: Verdict; readonly reason?: string }
  | { readonly kind: 'correction'; readonly turn: TurnId; readonly text: string }
  | { readonly kind: 'duel'; readonly duel: string; readonly outcome: DuelOutcome }
)

/** An admin or user command, e.g. `retrain --dry-run`, without the command word. */
export interface CommandRequest {
  readonly text: string
  readonly tenant: string
  readonly channel: string
  readonly thread: ThreadId
  readonly person: Person
  readonly admin: boolean
  /** Other threads that everybody can read who is where the command was given: those of a channel, say. */
  readonly sees?: (thread: ThreadId) => boolean
}
/** The answer to a command, as Markdown, for the eyes of the one who asked. */
export interface CommandReply {
  readonly ok: boolean
  readonly text: string
  /** The same as data, for `--json`. */
  readonly data?: unknown
}

/** One command as channels offer it, e.g. in the menu of a platform. */
export interface CommandInfo {
  readonly name: string
  /** With its arguments: `[--flag]`, `[--name one|other]`, `one|other` (an action), `VALUE`, `[VALUE]`, or a word to be said as it is. */
  readonly usage: string
  readonly help: string
  readonly admin: boolean
}

/** Why a reply says what it says. */
export interface Why {
  readonly turn: BotTurn
  readonly promptText: string
  /** Votes on this very reply. */
  readonly votes: readonly Vote[]
  /** The pairs its version was trained on. */
  readonly pairs: readonly PairTrace[]
}

export interface AskOptions {
  readonly thread?: ThreadId
  readonly tenant?: string
  readonly person?: Person
  readonly signal?: AbortSignal
}

/** Which reply variables came out of, and to whom. */
export interface VariablesOf {
  /** Names the reply: after a crash the same may be told again. */
  readonly turn: TurnId
  readonly thread: ThreadId
  readonly tenant: string
  readonly channel: string
  readonly person: Person
}

/** Told the typed values of a profile's `output`, once the reply is kept. They are a model's reading: check before acting. */
export type VariablesHandler = (values: Readonly<Record<string, unknown>>, of: VariablesOf) => unknown

/** The conversation core as adapters, pages, commands and host programs see it. */
export interface Bot extends AsyncDisposable {
  /** Lets a channel deliver replies; call the result to detach it again. */
  attach(channel: Channel): () => void
  /** Resolves once the event is on disk (acknowledge the platform then), not once it is answered. */
  receive(event: Inbound): Promise<'accepted' | 'duplicate'>
  feedback(event: FeedbackEvent): Promise<void>
  command(request: CommandRequest): Promise<CommandReply>
  /** One question, one reply, without a channel: for host programs, tests and evaluation. */
  ask(text: string, options?: AskOptions): AsyncIterable<ReplyEvent>
  /** Ends the generation of the reply to this event; what was said so far is kept. */
  stop(eventId: string): void
  why(turn: TurnId): Promise<Why>
  /**
   * Calls the host's code with what comes out of replies, once each is kept; call the result to stop. A reply's event is
   * settled after that, so a crash in between tells it again. What a handler throws is logged.
   *
   * @example bot.on('variables', ({ escalate }, { thread }) => escalate === true && page(thread))
   */
  on(what: 'variables', handler: VariablesHandler): () => void
  /** Says something to one person alone, in a channel; false where it can't, or they could not be reached. */
  readonly tell: (
    person: Person,
    text: string,
    where: { readonly channel: string; readonly threads: readonly ThreadId[] },
  ) => Promise<boolean>
  readonly commands: readonly CommandInfo[]
  readonly store: Store
  readonly learning?: Learning
  /** Past threads answered again by another profile, where the host has made that. */
  readonly replays?: Replays
}
