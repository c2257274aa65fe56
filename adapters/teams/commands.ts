import type { Bot, CommandReply } from '../../src/ports/bot.ts'
import { type Given, once } from '../shared/once.ts'
import type { RunView } from '../shared/run.ts'
import { sameChannel, threadOf } from './address.ts'
import { type BoardView, boardCard, type Card, cardMessage, runCard } from './cards.ts'
import { type InvokeAnswer, type Said, toast, updated } from './feedback.ts'
import { plainMessage } from './render.ts'
import { createRuns } from './runs.ts'
import { loggable, type Outgoing } from './sdk.ts'
import { edit, say, type Voice } from './voice.ts'

export interface CommandParts extends Voice {
  readonly bot: Bot
  readonly isAdmin: (said: Said) => boolean
}

export interface Commands {
  /** A command written as text. Resolves when it is done, or when the HTTP request must end. */
  run(text: string, said: Said): Promise<void>
  /** A button of the board. */
  press(command: string, card: string, said: Said): Promise<InvokeAnswer>
  /** Follows no run any more. */
  detach(): void
}

/** Teams waits 15 seconds for the answer to a message, and five for the answer to a button. */
export const turnMs = 10_000
const pressMs = 4000
const forAdmins = 'The board is for admins. Ask an admin.'
const starts = /^retrain\b(?!.*--dry-run)/

/** Commands in Teams: the ones every channel has, and a board for admins. */
export function createCommands(parts: CommandParts): Commands {
  const { bot, clock, log } = parts
  const runs = createRuns(bot, parts)

  const ask = (text: string, said: Said): Promise<CommandReply> => {
    const { tenant } = said.address
    const thread = threadOf(said.address)
    const where = { tenant, channel: 'teams', thread, person: said.person, admin: parts.isAdmin(said) }
    return bot.command({ text, ...where, sees: (other) => sameChannel(thread, other) })
  }

  async function board(said: Said, result?: CommandReply): Promise<Card> {
    const status = await ask('status', said)
    const { tenant } = said.address
    const versions = (await bot.learning?.versions(tenant)) ?? []
    const run = await runs.now(tenant)
    const view: BoardView = { status: status.text, versions, ...(run ? { run } : {}) }
    return boardCard({ ...view, ...(result ? { said: result.text } : {}) })
  }

  const boardMessage = async (said: Said, result?: CommandReply): Promise<Outgoing> =>
    cardMessage(await board(said, result), 'Hone: status and versions')

  /** The newest board of a conversation is redrawn while runs go on. */
  const keepBoard = (card: string, said: Said): void => {
    const thread = threadOf(said.address)
    runs.show(thread, said.address.tenant, async () => edit(parts, thread, card, await boardMessage(said)))
  }

  async function sayBoard(said: Said): Promise<void> {
    const thread = threadOf(said.address)
    if (!parts.isAdmin(said)) return void (await say(parts, thread, plainMessage(forAdmins)))
    keepBoard(await say(parts, thread, await boardMessage(said)), said)
  }

  /** The run that was started by a written command: one message, which is edited to its end. */
  async function showRun(thread: string, tenant: string): Promise<void> {
    const key = `run ${thread}`
    let progress: Promise<string> | undefined
    const show = async (view: RunView): Promise<void> => {
      if (view.ended) runs.hide(key)
      const message = cardMessage(runCard(view), 'Training')
      if (progress) return edit(parts, thread, await progress, message)
      progress = say(parts, thread, message)
      await progress
    }
    runs.show(key, tenant, show)
    const run = await runs.now(tenant)
    if (run) await show(run)
  }

  const given = (text: string, { event: id, address, person }: Said): Given => {
    return { id, text, tenant: address.tenant, channel: 'teams', thread: threadOf(address), person }
  }

  const failed = (error: unknown): CommandReply => {
    log.error('teams.command.failed', loggable(error))
    return { ok: false, text: 'That failed; the log says why.' }
  }

  async function work(text: string, said: Said): Promise<void> {
    if (text === 'board') return sayBoard(said)
    const thread = threadOf(said.address)
    const reply = await ask(text || 'help', said).catch(failed)
    if (reply.ok && starts.test(text)) await showRun(thread, said.address.tenant)
    await say(parts, thread, plainMessage(reply.text))
  }

  return {
    async run(text, said) {
      const worked = once(bot.store, given(text, said), () => work(text, said)).catch(failed)
      await Promise.race([worked, clock.alarm(turnMs)])
    },
    async press(text, card, said) {
      if (!parts.isAdmin(said)) return toast(forAdmins)
      // Stays undefined for a press that came before: then the board only says how things stand.
      let reply: CommandReply | undefined
      const pressed = once(bot.store, given(text, said), async () => {
        reply = await ask(text, said).catch(failed)
      })
      keepBoard(card, said)
      const inTime = pressed.then(() => true)
      if (await Promise.race([inTime, clock.alarm(pressMs).then(() => false)]))
        return updated(await board(said, text === 'status' ? undefined : reply))
      void pressed
        .then(async () => edit(parts, threadOf(said.address), card, await boardMessage(said, reply)))
        .catch((error: unknown) => log.warn('teams.progress.failed', loggable(error)))
      return toast('This takes a moment; the board says when it is done.')
    },
    detach: runs.detach,
  }
}
