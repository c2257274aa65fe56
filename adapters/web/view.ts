import { createHash } from 'node:crypto'
import type { Bot } from '../../src/ports/bot.ts'
import type { Inbound, Reply, Source, ThreadId, TurnId } from '../../src/ports/channel.ts'
import type { BotTurn, DuelOutcome, Turn, UserTurn, Verdict } from '../../src/ports/store.ts'
import type { Live, Streams } from './stream.ts'

/** A reply and everything that is shown with it. */
export interface ReplyView {
  readonly turn: TurnId
  readonly text: string
  readonly sources: readonly Source[]
  readonly version: string
  readonly verdict: Verdict
  readonly reason: string
  /** The person's own better text. */
  readonly correction?: string
  /** Every reply to the same prompt, oldest first, this one among them. */
  readonly siblings: readonly TurnId[]
  /** What the person decided, when the reply was one side of a duel. */
  readonly decided?: string
}

/** What stands under a message. */
export type SlotView =
  | { readonly kind: 'reply'; readonly reply: ReplyView }
  | { readonly kind: 'duel'; readonly duel: string; readonly left: Reply; readonly right: Reply }
  | { readonly kind: 'live'; readonly live: Live }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'none' }

/** One message of a person and what it got. */
export interface ExchangeView {
  /** Names the exchange in the page: from the message's event id. */
  readonly key: string
  readonly text: string
  readonly slot: SlotView
}

export interface Views {
  thread(thread: ThreadId): Promise<readonly ExchangeView[]>
  /** The exchange that an event belongs to, as it stands now. */
  exchange(event: Inbound): Promise<ExchangeView | undefined>
  reply(turn: TurnId, person: string): Promise<ReplyView | undefined>
  /** The event of the message that a reply answers. */
  question(turn: TurnId): Promise<UserTurn | undefined>
  /** Names an exchange by its message's event. */
  key(event: string): string
  /** Remembers where the replies of an event stand, so that siblings are found again after a restart. */
  place(event: Inbound): Promise<string>
  linkDuel(event: Inbound, left: TurnId, right: TurnId): Promise<void>
  decide(left: TurnId, right: TurnId, outcome: DuelOutcome): void
}

/** A name for an event that is safe in an HTML id and in a selector. */
export function keyOf(eventId: string): string {
  return createHash('sha256').update(eventId).digest('hex').slice(0, 16)
}

const historyLimit = 200

/** Reads threads from the store, with the replies that are being made laid over. */
export function views(bot: Bot, streams: Streams): Views {
  const outcomes = new Map<TurnId, { outcome: DuelOutcome; left: TurnId; right: TurnId }>()
  const { turns, messages, feedback } = bot.store

  const at = (event: string, n: number) => `${keyOf(event)}-${n}`
  const siblingsOf = async (thread: ThreadId, event: string): Promise<BotTurn[]> => {
    const found: BotTurn[] = []
    for (let n = 1; ; n++) {
      const turn = await messages.find({ thread, id: at(event, n) })
      if (turn?.role !== 'assistant') return found
      found.push(turn)
    }
  }
  const question = async (id: TurnId): Promise<UserTurn | undefined> => {
    const turn = await turns.get(id)
    const parent = turn?.parent ? await turns.get(turn.parent) : undefined
    return parent?.role === 'user' ? parent : undefined
  }
  /** The event of the message that this event is about: itself, or the message that a retry answers again. */
  const root = async (event: Inbound): Promise<string> =>
    event.kind === 'message' ? event.id : ((await question(event.turn))?.event ?? event.id)

  const duelOf = async (turn: BotTurn, others: readonly BotTurn[]) => {
    const sides = others.filter((other) => other.duel !== undefined && other.duel === turn.duel)
    const said = (await feedback.ofTurn(turn.id)).duels?.at(-1) ?? outcomes.get(turn.id)
    return { sides, said }
  }
  const replyView = async (turn: BotTurn, person: string): Promise<ReplyView> => {
    const asked = await question(turn.id)
    const all = asked ? await siblingsOf(turn.thread, asked.event) : []
    const siblings = all.some((other) => other.id === turn.id) ? all : [...all, turn]
    const { votes, corrections } = await feedback.ofTurn(turn.id)
    const vote = votes.find((one) => one.person === person)
    const correction = corrections.findLast((one) => one.person === person)?.text
    const { said } = turn.duel === undefined ? { said: undefined } : await duelOf(turn, siblings)
    return {
      turn: turn.id,
      text: turn.text,
      sources: turn.sources,
      version: turn.version,
      verdict: vote?.verdict ?? 'none',
      reason: vote?.reason ?? '',
      ...(correction === undefined ? {} : { correction }),
      siblings: siblings.map((one) => one.id),
      ...(said ? { decided: decision(said, turn, siblings) } : {}),
    }
  }
  const stored = async (asked: UserTurn, given: readonly BotTurn[], last: boolean): Promise<SlotView> => {
    const turn = given.at(-1)
    if (!turn) return { kind: 'none' }
    if (turn.duel !== undefined && last) {
      const all = await siblingsOf(turn.thread, asked.event)
      const { sides, said } = await duelOf(turn, all.length > 1 ? all : given)
      const [left, right] = sides
      if (!said && left && right) return { kind: 'duel', duel: turn.duel, left: replyOf(left), right: replyOf(right) }
    }
    return { kind: 'reply', reply: await replyView(turn, asked.person) }
  }
  const overlay = async (live: Live | undefined, under: SlotView, last: boolean): Promise<SlotView> => {
    if (!live) return under
    if (!live.end) return { kind: 'live', live }
    if (live.end.kind === 'error') {
      return under.kind === 'none' ? { kind: 'failed', message: live.end.message } : under
    }
    if (live.end.kind === 'duel') return last && !outcomes.has(live.end.left.turn) ? live.end : under
    const { reply } = live.end
    if (under.kind === 'none') return { kind: 'reply', reply: unsaved(reply, []) }
    if (under.kind !== 'reply' || under.reply.siblings.includes(reply.turn)) return under
    return { kind: 'reply', reply: unsaved(reply, under.reply.siblings) }
  }

  const thread = async (id: ThreadId): Promise<readonly ExchangeView[]> => {
    const history = await turns.history(id, historyLimit)
    const lives = new Map<string, Live>()
    for (const live of streams.lives(id)) lives.set(await root(live.event), live)
    const asked = history.filter((turn): turn is UserTurn => turn.role === 'user')
    const shown: ExchangeView[] = []
    for (const [index, turn] of asked.entries()) {
      const last = index === asked.length - 1
      const under = await stored(turn, answers(history, turn), last)
      const slot = await overlay(lives.get(turn.event), under, last)
      lives.delete(turn.event)
      shown.push({ key: keyOf(turn.event), text: turn.text, slot })
    }
    for (const live of lives.values()) {
      if (live.event.kind !== 'message') continue
      const slot = await overlay(live, { kind: 'none' }, true)
      shown.push({ key: keyOf(live.event.id), text: live.event.text, slot })
    }
    return shown
  }

  return {
    thread,
    key: keyOf,
    question,
    async exchange(event) {
      const key = keyOf(await root(event))
      return (await thread(event.thread)).find((one) => one.key === key)
    },
    async reply(id, person) {
      const turn = await turns.get(id)
      return turn?.role === 'assistant' ? replyView(turn, person) : undefined
    },
    async place(event) {
      const asked = await root(event)
      return at(asked, (await siblingsOf(event.thread, asked)).length + 1)
    },
    async linkDuel(event, left, right) {
      const asked = await root(event)
      await messages.link(left, [{ thread: event.thread, id: at(asked, 1) }])
      await messages.link(right, [{ thread: event.thread, id: at(asked, 2) }])
    },
    decide(left, right, outcome) {
      outcomes.set(left, { outcome, left, right })
      outcomes.set(right, { outcome, left, right })
    },
  }
}

function answers(history: readonly Turn[], asked: UserTurn): readonly BotTurn[] {
  return history.filter((turn): turn is BotTurn => turn.role === 'assistant' && turn.parent === asked.id)
}

function replyOf(turn: BotTurn): Reply {
  return { turn: turn.id, text: turn.text, sources: turn.sources, version: turn.version }
}

/** A reply that was streamed but can't be read from the store yet. */
function unsaved(reply: Reply, others: readonly TurnId[]): ReplyView {
  return { ...reply, verdict: 'none', reason: '', siblings: [...others, reply.turn] }
}

function decision(
  said: { readonly outcome: DuelOutcome; readonly left: TurnId; readonly right: TurnId },
  turn: BotTurn,
  siblings: readonly BotTurn[],
): string {
  const version = (id: TurnId) => siblings.find((one) => one.id === id)?.version ?? turn.version
  const [left, right] = [version(said.left), version(said.right)]
  switch (said.outcome) {
    case 'left':
      return `You preferred the left reply (${left}) to the right one (${right}).`
    case 'right':
      return `You preferred the right reply (${right}) to the left one (${left}).`
    case 'tie':
      return `You found both as good: left ${left}, right ${right}.`
    case 'both-bad':
      return `You found neither good: left ${left}, right ${right}.`
  }
}
