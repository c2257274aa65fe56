import { newId } from '../../src/id.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Source, TurnId } from '../../src/ports/channel.ts'
import type { ChatMessage } from '../../src/ports/engine.ts'
import { personOf, tenantOf, threadOf } from './place.ts'

/** A question and its answer, as a host's own program gave it. */
export interface HostTurn {
  readonly team: string
  readonly channel: string
  /** Time stamp of the message the thread hangs on. */
  readonly thread: string
  /** Time stamp of the question: logging the same question twice keeps one turn. */
  readonly ts: string
  readonly user: string
  readonly question: string
  readonly answer: string
  /** What the host's model was given, if its whole prompt is to be trained on; else the question alone. */
  readonly prompt?: readonly ChatMessage[]
  readonly sources?: readonly Source[]
  /** Names the host's model in counts of votes. */
  readonly version?: string
}

/**
 * Keeps a turn that a host answered itself, and answers its id: put `feedbackBlocks(id)` below the message.
 *
 * @example
 * const turn = await logTurn(bot, { team, channel, thread: ts, ts, user, question, answer })
 * await say({ text: answer, blocks: [{ type: 'markdown', text: answer }, ...feedbackBlocks(turn)], thread_ts: ts })
 */
export async function logTurn(bot: Bot, host: HostTurn): Promise<TurnId> {
  const { team, channel, thread, ts, user, question, answer, prompt, sources = [], version = 'host' } = host
  const event = `slack:${team}:${channel}:${ts}`
  const where = { tenant: tenantOf(team), channel: 'slack', thread: threadOf({ team, channel, thread }) }
  const before = (await bot.store.turns.history(where.thread, 1)).at(-1)
  const asked = {
    ...where,
    id: newId('u'),
    role: 'user' as const,
    parent: before?.id ?? null,
    text: question,
    at: new Date(),
    person: personOf(team, user).id,
    event,
  }
  const said = {
    ...where,
    id: newId('b'),
    role: 'assistant' as const,
    parent: asked.id,
    text: answer,
    at: new Date(),
    version,
    profile: 'host',
    sources,
    prompt: prompt ?? [{ role: 'user' as const, content: question }],
    usage: { prompt: 0, evaluated: 0, completion: 0 },
  }
  const [kept] = await bot.store.turns.appendBot([said], event, asked)
  return kept?.id ?? said.id
}
