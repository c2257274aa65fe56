import type { Bot } from '../../src/ports/bot.ts'
import type { ChatOptions } from './chat.ts'
import { type ListenOptions, listen } from './listen.ts'
import { openChat } from './switchboard.ts'

export { type Chat, type ChatOptions, greeting } from './chat.ts'
export { type ListenOptions, listen } from './listen.ts'
export { type OnceOptions, once } from './once.ts'
export { painter } from './paint.ts'
export { parseLine } from './parse.ts'
export { type ProgressOptions, showRun } from './progress.ts'
export type { Paint } from './render.ts'
export { openChat } from './switchboard.ts'

export type TerminalOptions = ChatOptions & ListenOptions

/**
 * Chats in a terminal until the person quits or the input ends. Lines from a pipe are answered one after the other.
 *
 * @example await terminal(bot, { input: process.stdin, output: process.stdout, admin: true })
 */
export async function terminal(bot: Bot, options: TerminalOptions): Promise<void> {
  const session = openChat(bot, options)
  try {
    await listen(session, options)
  } finally {
    session.end()
  }
}
