import { createHash } from 'node:crypto'
import type { Inbound, ThreadId, TurnId } from '../../src/ports/channel.ts'
import type { BotTurn, Store, UserTurn } from '../../src/ports/store.ts'

/** How replies belong to messages: which replies are siblings, and which message they answer. */
export interface Family {
  /** The message that a reply answers. */
  question(turn: TurnId): Promise<UserTurn | undefined>
  /** The event of the message that an event is about: itself, or the message that a retry answers again. */
  root(event: Inbound): Promise<string>
  /** Every reply to one message: the first (two for a duel), then each retry, oldest first. */
  siblings(thread: ThreadId, messageEvent: string): Promise<readonly BotTurn[]>
  /** The id under which the reply to this event is linked, so that a retry is found again after a restart. */
  place(event: Inbound): Promise<string>
}

/** A name for an event that is safe in an HTML id and in a selector. */
export function keyOf(eventId: string): string {
  return createHash('sha256').update(eventId).digest('hex').slice(0, 16)
}

/** Reads families from the store; retries are found by the message ids that this channel gives them. */
export function family({ turns, messages }: Store): Family {
  const retryAt = (messageEvent: string, n: number) => `${keyOf(messageEvent)}-r${n}`
  const retries = async (thread: ThreadId, messageEvent: string): Promise<readonly BotTurn[]> => {
    const found: BotTurn[] = []
    for (let n = 1; ; n++) {
      const turn = await messages.find({ thread, id: retryAt(messageEvent, n) })
      if (turn?.role !== 'assistant') return found
      found.push(turn)
    }
  }
  const question = async (id: TurnId): Promise<UserTurn | undefined> => {
    const turn = await turns.get(id)
    const parent = turn?.parent ? await turns.get(turn.parent) : undefined
    return parent?.role === 'user' ? parent : undefined
  }
  const root = async (event: Inbound): Promise<string> =>
    event.kind === 'message' ? event.id : ((await question(event.turn))?.event ?? event.id)

  return {
    question,
    root,
    siblings: async (thread, event) => [...(await turns.answers(event)), ...(await retries(thread, event))],
    async place(event) {
      if (event.kind === 'message') return keyOf(event.id)
      const asked = await root(event)
      return retryAt(asked, (await retries(event.thread, asked)).length + 1)
    },
  }
}
