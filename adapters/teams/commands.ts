import type { Bot, CommandReply } from '../../src/ports/bot.ts'
import { followRun, type RunView } from '../shared/run.ts'
import { threadOf } from './address.ts'
import { type BoardView, boardCard, type Card, cardMessage, runCard } from './cards.ts'
import { edit, say, type Voice } from './deliver.ts'
import { type InvokeAnswer, type Said, toast, updated } from './feedback.ts'
import { plainMessage } from './render.ts'
import { loggable } from './sdk.ts'

export interface CommandParts extends Voice {
  readonly bot: Bot
  readonly isAdmin: (said: Said) => boolean
}

export interface Commands {
  /** A command written as text. Resolves when it is done, or when the HTTP request must end. */
  run(text: string, said: Said): Promise<void>
  /** A button of the board. */
  press(command: string, card: string, said: Said): Promise<InvokeAnswer>
}

/** Teams waits 15 seconds for the answer to a message, and five for the answer to a button. */
export const turnMs = 10_000
const pressMs = 4000
const progressEveryMs = 2500

/** Commands in Teams: the ones every channel has, and a board for admins. */
export function createCommands(parts: CommandParts): Commands {
  const { bot, clock, log } = parts
  let run: RunView | undefined

  const ask = (text: string, said: Said): Promise<CommandReply> => {
    const { tenant } = said.address
    const where = { tenant, channel: 'teams', thread: threadOf(said.address), person: said.person }
    return bot.command({ text, ...where, admin: parts.isAdmin(said) })
  }

  /** Runs a command; if it starts a training run, `show` is called while that goes on. */
  async function command(text: string, said: Said, show: () => Promise<unknown>): Promise<CommandReply> {
    if (!/^retrain\b(?!.*--dry-run)/.test(text) || !parts.isAdmin(said)) return ask(text, said)
    const refused = new AbortController()
    const accepted = Promise.withResolvers<boolean>()
    // A refused command may have met the events of somebody else's run, which is not followed to its end.
    const update = async (view: RunView): Promise<void> => {
      if (!(await accepted.promise)) return
      run = view
      await show()
    }
    const unshown = (error: unknown): void => log.warn('teams.progress.failed', loggable(error))
    const wait = (ms: number) => clock.wait(ms)
    const options = { everyMs: progressEveryMs, signal: refused.signal, wait, failed: unshown }
    // Before the command, so that no event is missed.
    void followRun(bot, update, options).catch(unshown)
    let isAccepted = false
    try {
      const reply = await ask(text, said)
      isAccepted = reply.ok
      return reply
    } finally {
      accepted.resolve(isAccepted)
      if (!isAccepted) refused.abort()
    }
  }

  async function board(said: Said, result?: CommandReply): Promise<Card> {
    const status = await ask('status', said)
    const versions = (await bot.learning?.versions()) ?? []
    const view: BoardView = { status: status.text, versions, ...(run ? { run } : {}) }
    return boardCard({ ...view, ...(result ? { said: result.text } : {}) })
  }

  /**
   * False for a command that came before, to whichever process: Teams sends again, and what was overheard can be sent
   * again. One that a crash cut short is not taken up: whoever gave it sees no answer, and can look how things stand.
   */
  async function isNew(text: string, { event, address, person }: Said): Promise<boolean> {
    const { inbox } = bot.store
    // No channel has this name: not even between the two calls does a command become a question to the model.
    const base = { id: event, channel: 'teams:command', tenant: address.tenant, thread: threadOf(address), person }
    if (!(await inbox.claim({ ...base, kind: 'message', text, scopes: [], at: new Date() }))) return false
    await inbox.settle(event, 'ignored', 'a command')
    return true
  }

  const failed = (error: unknown): CommandReply => {
    log.error('teams.command.failed', loggable(error))
    return { ok: false, text: 'That failed; the log says why.' }
  }

  async function work(text: string, said: Said): Promise<void> {
    const thread = threadOf(said.address)
    if (text === 'board') {
      const message = parts.isAdmin(said)
        ? cardMessage(await board(said), 'Hone: status and versions')
        : plainMessage('The board is for admins. Ask an admin.')
      await say(parts, thread, message)
      return
    }
    let progress = ''
    const show = async (): Promise<void> => {
      if (!run) return
      const message = cardMessage(runCard(run), 'Training')
      if (progress) await edit(parts, thread, progress, message)
      else progress = await say(parts, thread, message)
    }
    const reply = await command(text || 'help', said, show).catch(failed)
    await say(parts, thread, plainMessage(reply.text))
  }

  return {
    async run(text, said) {
      if (!(await isNew(text, said))) return
      const worked = work(text, said).catch(failed)
      await Promise.race([worked, clock.alarm(turnMs)])
    },
    async press(text, card, said) {
      if (!parts.isAdmin(said)) return toast('The board is for admins. Ask an admin.')
      const thread = threadOf(said.address)
      const redraw = async (result?: CommandReply): Promise<void> =>
        edit(parts, thread, card, cardMessage(await board(said, result), 'Hone: status and versions'))
      if (!(await isNew(text, said))) return updated(await board(said))
      const pressed = command(text, said, () => redraw()).catch(failed)
      const slow = clock.alarm(pressMs).then(() => undefined)
      const reply = await Promise.race([pressed, slow])
      if (reply) return updated(await board(said, text === 'status' ? undefined : reply))
      void pressed.then(redraw).catch((error: unknown) => log.warn('teams.progress.failed', loggable(error)))
      return toast('This takes a moment; the board says when it is done.')
    },
  }
}
