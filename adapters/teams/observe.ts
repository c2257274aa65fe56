import { newId } from '../../src/id.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Source, TurnId } from '../../src/ports/channel.ts'
import { type Address, threadOf } from './address.ts'
import { aiEntity, type Look } from './render.ts'
import type { Outgoing, TurnContext } from './sdk.ts'
import { carried } from './wire.ts'

const mark = 'honeTurn'

/** A reply that the host's own model made. */
export interface Observed {
  readonly question: string
  readonly answer: string
  readonly sources?: readonly Source[]
  /** What made it, e.g. `gpt-x 2026-04`; replies of one model are compared with one another. */
  readonly model: string
}

/**
 * Gives an activity of the host Teams's thumbs and the AI label, and says which turn it carries.
 *
 * @example await context.sendActivity(withFeedback({ type: 'message', text: answer }, turn))
 */
export function withFeedback<T extends object>(activity: T, turn: TurnId, look: Partial<Look> = {}): T & Outgoing {
  const { entities, channelData } = activity as { entities?: object[]; channelData?: object }
  return {
    type: 'message',
    ...activity,
    entities: [...(entities ?? []), aiEntity([], look)],
    channelData: { ...channelData, feedbackLoop: { type: look.feedback ?? 'default' }, [mark]: turn },
  }
}

/** Keeps a question and the host's own answer to it as turns, so that votes have something to hold on to. */
export async function keepObserved(
  { question, answer, sources = [], model }: Observed,
  { address, person, event }: { readonly address: Address; readonly person: string; readonly event: string },
  bot: Bot,
): Promise<TurnId> {
  const thread = threadOf(address)
  const where = { tenant: address.tenant, channel: 'teams', thread, at: new Date() }
  const parent = (await bot.store.turns.history(thread, 1)).at(-1)?.id ?? null
  const asked = { ...where, id: newId('u'), role: 'user' as const, parent, text: question, person, event }
  const made = {
    ...where,
    id: newId('b'),
    role: 'assistant' as const,
    parent: asked.id,
    text: answer,
    version: model,
    profile: model,
    prompt: [{ role: 'user' as const, content: question }],
    sources,
    usage: { prompt: 0, evaluated: 0, completion: 0 },
  }
  const [kept] = await bot.store.turns.appendBot([made], event, asked)
  return kept?.id ?? made.id
}

/** Links what the host sends with `withFeedback` to its turn, once Teams has said under which id it stands. */
export function linkSent(context: TurnContext, address: Address, bot: Bot): void {
  const thread = threadOf(address)
  context.onSendActivities(async (_, sending, next) => {
    const activities = sending as Outgoing[]
    const turns = activities.map(({ channelData }) => (channelData as Record<string, string> | undefined)?.[mark])
    for (const [index, turn] of turns.entries()) if (turn) activities[index] = unmarked(context, activities[index])
    const sent = await next()
    for (const [index, turn] of turns.entries()) {
      const id = sent[index]?.id
      if (turn && id) await bot.store.messages.link(turn, [{ thread, id }])
    }
    return sent
  })
}

/** The activity without our mark, its entities safe; changed in place, because the SDK sends the object it has. */
function unmarked(context: TurnContext, activity: Outgoing | undefined): Outgoing {
  const sent = activity as { channelData: Record<string, unknown> } & Outgoing
  const { [mark]: _, ...channelData } = sent.channelData
  return Object.assign(sent, { channelData: carried(context, { ...sent, channelData })['channelData'] })
}
