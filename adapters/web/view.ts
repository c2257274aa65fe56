import type { Inbound, Reply, Source, ThreadId, TurnId } from '../../src/ports/channel.ts'
import type { BotTurn, Duel, Store, Turn, UserTurn, Verdict } from '../../src/ports/store.ts'
import { type Family, keyOf } from './family.ts'
import type { Live, Streams } from './stream.ts'

/** A reply and everything that is shown with it. */
export interface ReplyView {
  readonly turn: TurnId
  readonly text: string
  readonly sources: readonly Source[]
  readonly version: string
  /** Why the answer is so, where people see that. */
  readonly explanation?: { readonly text: string; readonly open: boolean }
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
  /** The exchange of a message that was sent on the page. */
  exchangeOf(message: UserTurn): Promise<ExchangeView | undefined>
  reply(turn: TurnId, person: string): Promise<ReplyView | undefined>
}

interface Sight {
  readonly store: Store
  readonly family: Family
  readonly streams: Streams
}

const historyLimit = 200

/** Reads threads from the store, with the replies that are being made laid over. */
export function views(store: Store, family: Family, streams: Streams): Views {
  const sight: Sight = { store, family, streams }
  const exchange = async (thread: ThreadId, messageEvent: string) => (await read(sight, thread, messageEvent))[0]
  return {
    thread: (thread) => read(sight, thread),
    exchange: async (event) => exchange(event.thread, await family.root(event)),
    exchangeOf: ({ thread, event }) => exchange(thread, event),
    async reply(id, person) {
      const turn = await store.turns.get(id)
      return turn?.role === 'assistant' ? replyView(sight, turn, person) : undefined
    },
  }
}

/** The exchanges of a thread, oldest first; with `only`, that of one message. */
async function read(sight: Sight, thread: ThreadId, only?: string): Promise<readonly ExchangeView[]> {
  const { store, family, streams } = sight
  const history = await store.turns.history(thread, historyLimit)
  const lives = new Map<string, Live>()
  for (const live of streams.lives(thread)) lives.set(await family.root(live.event), live)
  const asked = history.filter((turn): turn is UserTurn => turn.role === 'user')
  const shown: ExchangeView[] = []
  for (const turn of asked) {
    const live = lives.get(turn.event)
    lives.delete(turn.event)
    if (only !== undefined && turn.event !== only) continue
    const last = turn === asked.at(-1)
    const slot = await overlay(sight, live, await stored(sight, turn, { given: answers(history, turn), last }))
    shown.push({ key: keyOf(turn.event), text: turn.text, slot })
  }
  for (const [event, live] of lives) {
    if (live.event.kind !== 'message' || (only !== undefined && event !== only)) continue
    shown.push({ key: keyOf(event), text: live.event.text, slot: await overlay(sight, live, { kind: 'none' }) })
  }
  return shown
}

/** What the store has under a message. A duel waits for its outcome only while nothing was said after it. */
async function stored(
  sight: Sight,
  asked: UserTurn,
  { given, last }: { readonly given: readonly BotTurn[]; readonly last: boolean },
): Promise<SlotView> {
  const turn = given.at(-1)
  if (!turn) return { kind: 'none' }
  const { duel } = turn
  if (duel === undefined || !last) return { kind: 'reply', reply: await replyView(sight, turn, asked.person) }
  const [left, right] = (await sight.family.siblings(turn.thread, asked.event)).filter((one) => one.duel === duel)
  const decided = await outcomeOf(sight, turn)
  if (!decided && left && right) return { kind: 'duel', duel, left: sideOf(left), right: sideOf(right) }
  const winner = decided?.outcome === 'left' && left ? left : turn
  return { kind: 'reply', reply: await replyView(sight, winner, asked.person) }
}

/** Lays a reply that is being made, or was just made, over what the store has. */
async function overlay({ store }: Sight, live: Live | undefined, under: SlotView): Promise<SlotView> {
  if (!live) return under
  if (!live.end) return { kind: 'live', live }
  if (under.kind === 'none') {
    if (live.end.kind === 'error') return { kind: 'failed', message: live.end.message }
    return live.end.kind === 'duel' ? live.end : { kind: 'reply', reply: unsaved(live.end.reply, []) }
  }
  if (live.end.kind !== 'done' || under.kind !== 'reply') return under
  const { reply } = live.end
  if (under.reply.siblings.includes(reply.turn) || (await store.turns.get(reply.turn))) return under
  return { kind: 'reply', reply: unsaved(reply, under.reply.siblings) }
}

async function replyView(sight: Sight, turn: BotTurn, person: string): Promise<ReplyView> {
  const { store, family } = sight
  const asked = await family.question(turn.id)
  const known = asked ? await family.siblings(turn.thread, asked.event) : []
  const siblings = known.some((one) => one.id === turn.id) ? known : [...known, turn]
  const { votes, corrections } = await store.feedback.ofTurn(turn.id)
  const vote = votes.find((one) => one.person === person)
  const correction = corrections.findLast((one) => one.person === person)?.text
  const decided = await outcomeOf(sight, turn)
  const { text, show } = turn.explanation ?? {}
  const seen = text !== undefined && show !== 'hidden'
  return {
    ...replyOf(turn),
    ...(seen ? { explanation: { text, open: show === 'shown' } } : {}),
    verdict: vote?.verdict ?? 'none',
    reason: vote?.reason ?? '',
    ...(correction === undefined ? {} : { correction }),
    siblings: siblings.map((one) => one.id),
    ...(decided ? { decided: decision(decided, turn, siblings) } : {}),
  }
}

async function outcomeOf({ store }: Sight, turn: BotTurn): Promise<Duel | undefined> {
  return turn.duel === undefined ? undefined : (await store.feedback.ofTurn(turn.id)).duels.at(-1)
}

function answers(history: readonly Turn[], asked: UserTurn): readonly BotTurn[] {
  return history.filter((turn): turn is BotTurn => turn.role === 'assistant' && turn.parent === asked.id)
}

/** As a person sees it: with the passages that the text cites, not with all that were found. */
function replyOf(turn: BotTurn): Omit<Reply, 'explanation'> {
  const { text = '', show } = turn.explanation ?? {}
  const seen = show === 'hidden' ? turn.text : `${turn.text}${text}`
  const sources = turn.sources.filter((source) => seen.includes(`[${source.number}]`))
  return { turn: turn.id, text: turn.text, sources, version: turn.version }
}

/** One side of a duel: reasons only where they are shown with every answer. */
function sideOf(turn: BotTurn): Reply {
  const { explanation } = turn
  const why = explanation?.show === 'shown' ? `\n\n**Why:** ${explanation.text}` : ''
  return { ...replyOf(turn), text: turn.text + why }
}

/** A reply that was streamed but can't be read from the store. */
function unsaved({ explanation: text, ...reply }: Reply, others: readonly TurnId[]): ReplyView {
  const explanation = text === undefined ? {} : { explanation: { text, open: false } }
  return { ...reply, ...explanation, verdict: 'none', reason: '', siblings: [...others, reply.turn] }
}

function decision(said: Duel, turn: BotTurn, siblings: readonly BotTurn[]): string {
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
