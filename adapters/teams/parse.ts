import type { DuelOutcome, Verdict } from '../../src/ports/store.ts'
import type { Activity } from './sdk.ts'

/** What a person means by an activity. */
export type Incoming =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'again' }
  | { readonly kind: 'sources' }
  | { readonly kind: 'vote'; readonly message: string; readonly opinion: Opinion }
  /** A thumb was pressed on a reply with the custom loop: Teams asks for the form. */
  | { readonly kind: 'form'; readonly message: string; readonly verdict: Verdict }
  | { readonly kind: 'duel'; readonly duel: string; readonly outcome: DuelOutcome; readonly card: string }
  | { readonly kind: 'board'; readonly command: string; readonly card: string }
  /** *Suggest a better answer* in the menu of a message: Teams asks for the form. */
  | { readonly kind: 'suggest'; readonly message: string }
  | { readonly kind: 'suggested'; readonly turn: string; readonly opinion: Opinion }

/** What a form says about a reply. */
export interface Opinion {
  readonly verdict?: Verdict
  readonly reason?: string
  readonly better?: string
}

const command = /^\/?hone(?:\s+([\s\S]*))?$/i
const outcomes = ['left', 'right', 'tie', 'both-bad']
const verdicts = ['up', 'down', 'none']

/**
 * What an activity means; undefined for what is not for Hone: other bots, edits, joins, messages in a group that don't
 * mention the bot, other bots' cards, feedback that doesn't say on which message.
 */
export function parse(activity: Activity): Incoming | undefined {
  const { type, from, recipient } = activity
  if (!from?.id || from.id === recipient?.id || from.role === 'bot') return undefined
  if (type === 'message') return parseMessage(activity)
  return type === 'invoke' ? parseInvoke(activity) : undefined
}

function parseMessage(activity: Activity): Incoming | undefined {
  const text = textOf(activity)
  if (!text || (!isPersonal(activity) && !mentions(activity))) return undefined
  const asked = command.exec(text)
  if (asked) return { kind: 'command', text: asked[1]?.trim() ?? '' }
  if (/^try again[.!]?$/i.test(text)) return { kind: 'again' }
  if (/^sources\??$/i.test(text)) return { kind: 'sources' }
  return { kind: 'message', text }
}

function isPersonal({ conversation }: Activity): boolean {
  return conversation?.conversationType === 'personal' || conversation?.id.startsWith('a:') === true
}

interface Mention {
  readonly type?: string
  readonly text?: string
  readonly mentioned?: { readonly id?: string }
}

function mentions(activity: Activity): boolean {
  return ownMentions(activity).length > 0
}

function ownMentions({ entities, recipient }: Activity): readonly Mention[] {
  const list: readonly (Mention | null)[] = Array.isArray(entities) ? entities : []
  return list.filter((entity): entity is Mention => entity?.mentioned?.id === recipient?.id)
}

/** What was written, without the bot's own mention; other people keep their names. */
function textOf(activity: Activity): string {
  const { text } = activity
  return ownMentions(activity)
    .reduce((rest, { text: own }) => (own ? rest.replaceAll(own, ' ') : rest), typeof text === 'string' ? text : '')
    .replace(/<at[^>]*>([^<]*)<\/at>/g, '$1')
    .replaceAll('&nbsp;', ' ')
    .trim()
}

function parseInvoke({ name, value, replyToId }: Activity): Incoming | undefined {
  switch (name) {
    case 'message/submitAction':
      return parseVote(object(value), replyToId)
    case 'message/fetchTask': {
      const verdict = verdictOf(object(object(value)['actionValue'])['reaction'])
      return verdict && replyToId ? { kind: 'form', message: replyToId, verdict } : undefined
    }
    case 'adaptiveCard/action':
      return parseCard(object(object(value)['action']), replyToId ?? '')
    case 'composeExtension/fetchTask':
      return parseSuggest(object(value))
    case 'composeExtension/submitAction':
    case 'task/submit':
      return parseSuggested(object(object(value)['data']))
    default:
      return undefined
  }
}

/** Which reply is meant say `replyToId` or the data of Hone's own form. Without them nobody can say, and nobody guesses. */
function parseVote(value: Fields, replyToId?: string): Incoming | undefined {
  const action = object(value['actionValue'])
  const verdict = verdictOf(action['reaction'])
  if (value['actionName'] !== 'feedback' || !verdict) return undefined
  const form = formOf(action['feedback'])
  const said = opinionOf(form)
  const opinion = { ...said, verdict: said.verdict ?? verdict }
  if (replyToId) return { kind: 'vote', message: replyToId, opinion }
  return typeof form['honeTurn'] === 'string' ? { kind: 'suggested', turn: form['honeTurn'], opinion } : undefined
}

function parseCard({ verb, data }: Fields, card: string): Incoming | undefined {
  const { duel, outcome, command: text } = object(data)
  if (verb === 'hone.duel' && typeof duel === 'string' && outcomes.includes(outcome as string))
    return { kind: 'duel', duel, outcome: outcome as DuelOutcome, card }
  if (verb === 'hone.board' && typeof text === 'string') return { kind: 'board', command: text, card }
  return undefined
}

function parseSuggest({ commandId, messagePayload }: Fields): Incoming | undefined {
  const { id } = object(messagePayload)
  return commandId === 'honeBetterAnswer' && typeof id === 'string' ? { kind: 'suggest', message: id } : undefined
}

function parseSuggested(data: Fields): Incoming | undefined {
  const { honeTurn } = data
  return typeof honeTurn === 'string' ? { kind: 'suggested', turn: honeTurn, opinion: opinionOf(data) } : undefined
}

/** Inputs of the default form (`feedbackText`) and of Hone's own (`reasons`, `note`, `better`, `verdict`). */
function opinionOf(inputs: Fields): Opinion {
  const { verdict, reasons, note, feedbackText, better } = inputs
  const reason = [reasons, note, feedbackText].filter((part) => typeof part === 'string' && part.trim()).join('; ')
  return {
    ...(verdicts.includes(verdict as string) ? { verdict: verdict as Verdict } : {}),
    ...(reason ? { reason } : {}),
    ...(typeof better === 'string' && better.trim() ? { better: better.trim() } : {}),
  }
}

function verdictOf(reaction: unknown): Verdict | undefined {
  return reaction === 'like' ? 'up' : reaction === 'dislike' ? 'down' : undefined
}

type Fields = Readonly<Record<string, unknown>>

function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** Teams sends what the form says as JSON in a string. */
function formOf(feedback: unknown): Fields {
  if (typeof feedback !== 'string') return object(feedback)
  try {
    return object(JSON.parse(feedback))
  } catch {
    return { feedbackText: feedback }
  }
}
