/** One conversation in one channel, e.g. `web:main:t_01`. Starts with the channel's name; opaque to the core. */
export type ThreadId = string
export type TurnId = string

/** One delivered message on one platform. */
export interface MessageRef {
  readonly thread: ThreadId
  readonly id: string
}

export interface Person {
  /** Namespaced by channel, e.g. `web:anna`. */
  readonly id: string
  readonly name: string
}

interface InboundBase {
  /** Platform event id, namespaced. The same id twice is the same event (webhook redelivery). */
  readonly id: string
  readonly channel: string
  /** One Slack workspace, Teams tenant, Discord guild; `web` and `terminal` are tenants of their own. */
  readonly tenant: string
  readonly thread: ThreadId
  readonly person: Person
  /** Knowledge scopes this person may see here, besides the tenant's public ones. */
  readonly scopes: readonly string[]
  readonly at: Date
  /** The channel knows them as an admin of the bot. */
  readonly admin?: boolean
  /** Platform messages in which an earlier process began to show the reply, where its channel kept them (`inbox.amend`). */
  readonly begun?: readonly string[]
}

/** A person wrote something that the bot is expected to answer. */
export interface InboundMessage extends InboundBase {
  readonly kind: 'message'
  readonly text: string
}

/** *Try again*: answer the stored prompt of a bot turn once more; the new reply is its sibling. */
export interface InboundRetry extends InboundBase {
  readonly kind: 'retry'
  readonly turn: TurnId
}

/** What goes through the durable inbox. Plain data: it is kept as JSON until it is settled. */
export type Inbound = InboundMessage | InboundRetry

export interface Source {
  /** The number the reply cites it by, as in `[2]`. */
  readonly number: number
  readonly title: string
  readonly document: string
  readonly text: string
  readonly url?: string
}

/** A bot turn as a person sees it. */
export interface Reply {
  readonly turn: TurnId
  readonly text: string
  readonly sources: readonly Source[]
  readonly version: string
  /** Why the answer is so, for who asks for it: folded away. One that is shown with the answer is in `text`. */
  readonly explanation?: string
}

/** `<left turn>.<right turn>`: whole in itself, so a press on a button means the same after a restart. */
export type DuelId = string

/** What happens while a reply is made, in order: status and source, deltas, then one of done, duel, error. */
export type ReplyEvent =
  | { readonly kind: 'status'; readonly text: string }
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'delta'; readonly text: string }
  | { readonly kind: 'done'; readonly reply: Reply }
  | { readonly kind: 'duel'; readonly duel: DuelId; readonly left: Reply; readonly right: Reply }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }

/** Where people talk. An adapter attaches it to the bot with `bot.attach(channel)`. */
export interface Channel {
  readonly name: string
  /** Present and true: the channel can show two replies side by side, blind. */
  readonly duels?: boolean
  /**
   * Renders one reply while it is made, within the platform's limits, and resolves with every platform message
   * that carries it. Must consume `events` to the end. `event` says what is being answered.
   *
   * @throws HoneError UNDELIVERED when nobody can be shown the reply: the channel was deleted, say. The event is then
   * settled as given up, with that on record.
   */
  deliver(event: Inbound, events: AsyncIterable<ReplyEvent>): Promise<readonly MessageRef[]>
  /**
   * Says something that is no reply: the outcome of a training run that was started here, say. With `person` it is for
   * them, and for their eyes alone where the channel can do that.
   */
  notice?(thread: ThreadId, text: string, person?: Person): Promise<void>
  /**
   * Says something that is for this person's eyes alone; false where that can't be done now. `threads`, newest first, are
   * those in which they wrote. Absent: the channel can't.
   */
  tell?(person: Person, text: string, threads: readonly ThreadId[]): Promise<boolean>
}
