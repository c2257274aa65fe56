import type { Bot } from '../../src/ports/bot.ts'
import { chat, type TerminalOptions } from './chat.ts'
import { listen } from './listen.ts'

export { type OnceOptions, once } from './once.ts'
export { painter } from './paint.ts'
export { type ProgressOptions, showRun } from './progress.ts'

/**
 * Chats in a terminal until the person quits or the input ends. Lines from a pipe are answered one after the other.
 *
 * @example await terminal(bot, { input: process.stdin, output: process.stdout, admin: true })
 */
export async function terminal(bot: Bot, options: TerminalOptions): Promise<void> {
  const session = chat(bot, options)
  const detach = bot.attach(session.channel)
  try {
    await listen(session, options)
  } finally {
    session.end()
    detach()
  }
}
