import { HoneError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Person } from '../../src/ports/channel.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import { hostsOf } from '../shared/links.ts'
import { type Address, threadOf } from './address.ts'
import { type Card, decidedCard, feedbackForm, suggestionForm } from './cards.ts'
import type { Incoming, Opinion } from './parse.ts'
import { loggable } from './sdk.ts'

/** Who said it, where. */
export interface Said {
  readonly address: Address
  readonly person: Person
  /** The activity's own id, namespaced. */
  readonly event: string
  /** The name of the invoke: the same form can come back under three. */
  readonly invoke?: string
}

/** What an invoke is answered with, to the letter: Teams shows an error for anything else. */
export interface InvokeAnswer {
  readonly status: number
  readonly body?: object
}

export type FeedbackIncoming = Extract<Incoming, { kind: 'vote' | 'form' | 'duel' | 'suggest' | 'suggested' }>

const threadsSearched = 100
const thanks = 'Thank you. It is kept.'
const unknown = 'That is no reply of this bot, or it was deleted.'

/**
 * Takes what people say about replies. A thumb is acknowledged once it is on disk.
 * Undefined: the message is not Hone's, and its feedback is the host's business.
 */
export async function takeFeedback(
  incoming: FeedbackIncoming,
  said: Said,
  { bot, log }: { readonly bot: Bot; readonly log: Logger },
): Promise<InvokeAnswer | undefined> {
  try {
    return await take(incoming, said, bot)
  } catch (error) {
    if (!(error instanceof HoneError)) log.error('teams.feedback.failed', loggable(error))
    const told = error instanceof HoneError ? `${error.message} ${error.help}` : 'It could not be kept. Try again.'
    if (incoming.kind === 'vote') return { status: 500, body: { error: { message: told } } }
    return incoming.kind === 'duel' ? toast(told) : dialog(told)
  }
}

async function take(incoming: FeedbackIncoming, said: Said, bot: Bot): Promise<InvokeAnswer | undefined> {
  switch (incoming.kind) {
    case 'vote': {
      const turn = await turnOf(incoming.message, said, bot)
      if (!turn) return undefined
      await keep(turn, incoming.opinion, said, bot)
      return { status: 200, body: {} }
    }
    case 'form': {
      const turn = await turnOf(incoming.message, said, bot)
      return turn && form('What do you think of this reply?', feedbackForm(turn.id, incoming.verdict))
    }
    case 'suggest': {
      const turn = (await turnOf(incoming.message, said, bot)) ?? (await turnElsewhere(incoming.message, said, bot))
      return turn ? form('Suggest a better answer', suggestionForm(turn.id, turn.text)) : dialog(unknown)
    }
    case 'suggested': {
      const turn = await bot.store.turns.get(incoming.turn)
      if (turn?.role !== 'assistant' || !(await sees(turn, said, bot))) return dialog(unknown)
      await keep(turn, incoming.opinion, said, bot)
      return said.invoke === 'message/submitAction' ? { status: 200, body: {} } : dialog(thanks)
    }
    case 'duel':
      return decide(incoming, said, bot)
  }
}

async function turnOf(message: string, { address }: Said, bot: Bot): Promise<BotTurn | undefined> {
  const turn = await bot.store.messages.find({ thread: threadOf(address), id: message })
  return turn?.role === 'assistant' ? turn : undefined
}

/**
 * In the menu of a message Teams may call a personal chat by another id (`19:…@unq.gbl.spaces`) than where the bot talks in
 * it (`a:…`). So the message is looked for where the person has written, and taken if it is in one place only.
 */
async function turnElsewhere(message: string, { address, person }: Said, bot: Bot): Promise<BotTurn | undefined> {
  const threads = await bot.store.turns.threads(address.tenant, person.id, threadsSearched)
  const turns = await Promise.all(threads.map(({ thread }) => bot.store.messages.find({ thread, id: message })))
  const [found, ...others] = turns.filter((turn) => turn?.role === 'assistant')
  return others.length === 0 ? found : undefined
}

/** A reply is judged where it stands, and by who wrote there. */
async function sees({ thread }: BotTurn, { address, person }: Said, bot: Bot): Promise<boolean> {
  return thread === threadOf(address) || bot.store.turns.wroteIn(thread, person.id)
}

async function keep({ id: turn }: BotTurn, opinion: Opinion, { person, address }: Said, bot: Bot): Promise<void> {
  const { verdict, reason, better } = opinion
  const who = { tenant: address.tenant, person, turn }
  if (verdict) await bot.feedback({ ...who, kind: 'vote', verdict, ...(reason ? { reason } : {}) })
  if (better) await bot.feedback({ ...who, kind: 'correction', text: better })
}

async function decide(
  { duel, outcome }: Extract<Incoming, { kind: 'duel' }>,
  { person, address }: Said,
  bot: Bot,
): Promise<InvokeAnswer> {
  const sides = (await Promise.all(duel.split('.').map((id) => bot.store.turns.get(id)))).map((side) =>
    side?.role === 'assistant' ? side : undefined,
  )
  // What a card carries proves nothing: only a duel that was shown in this very conversation is one.
  const shown = sides.every((side) => side?.duel === duel && side.thread === threadOf(address))
  if (!shown || sides.length !== 2) return toast(unknown)
  await bot.feedback({ kind: 'duel', tenant: address.tenant, person, duel, outcome })
  // In a group everybody may have an opinion, so the card stays as it is.
  if (address.kind !== 'personal') return toast(thanks)
  const chosen = outcome === 'right' ? sides[1] : sides[0]
  return updated(decidedCard(outcome, chosen?.text ?? '', hostsOf(chosen?.sources ?? [])))
}

function form(title: string, card: Card): InvokeAnswer {
  const content = { contentType: 'application/vnd.microsoft.card.adaptive', content: card }
  return { status: 200, body: { task: { type: 'continue', value: { title, width: 'medium', card: content } } } }
}

function dialog(text: string): InvokeAnswer {
  return { status: 200, body: { task: { type: 'message', value: text } } }
}

/** The answer to a button of a card: a line for the person who pressed it. */
export function toast(text: string): InvokeAnswer {
  return { status: 200, body: { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: text } }
}

/** The answer to a button of a card: the card that takes its place. */
export function updated(card: Card): InvokeAnswer {
  return { status: 200, body: { statusCode: 200, type: 'application/vnd.microsoft.card.adaptive', value: card } }
}
