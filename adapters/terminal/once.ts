import type { Writable } from 'node:stream'
import { codes, type ErrorCode, HoneError } from '../../src/errors.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Person, Reply } from '../../src/ports/channel.ts'
import { painter } from './paint.ts'
import { plain, sourceLines } from './render.ts'

export interface OnceOptions {
  readonly output: Writable
  /** One JSON object with text, sources, turn and version instead of text for people. */
  readonly json?: boolean
  readonly person?: Person
  readonly signal?: AbortSignal
}

/**
 * Asks once, writes the reply and is done: `hone chat --once`.
 *
 * @throws HoneError when there is no reply
 * @example await once(bot, 'How many days of vacation do I get?', { output: process.stdout, json: true })
 */
export async function once(bot: Pick<Bot, 'ask'>, text: string, options: OnceOptions): Promise<void> {
  const { output, json = false, person, signal } = options
  let reply: Reply | undefined
  let streamed = false
  const asked = { tenant: 'terminal', ...(person ? { person } : {}), ...(signal ? { signal } : {}) }
  for await (const event of bot.ask(text, asked)) {
    if (event.kind === 'error') throw failed(event.code, event.message)
    if (event.kind === 'done') reply = event.reply
    if (event.kind === 'duel') reply = event.left
    if (event.kind !== 'delta' || json) continue
    streamed = true
    output.write(plain(event.text))
  }
  if (!reply) throw new HoneError('ENGINE_FAILED', 'The bot gave no reply.')
  if (json) {
    const { text: said, sources, turn, version, explanation } = reply
    output.write(`${JSON.stringify({ text: said, sources, turn, version, explanation })}\n`)
    return
  }
  if (!streamed) output.write(plain(reply.text))
  output.write(`\n${sourceLines(reply.sources, painter(output))}`)
}

/** The error that an error event stands for. */
export function failed(code: string, message: string): HoneError {
  return new HoneError(code in codes ? (code as ErrorCode) : 'ENGINE_FAILED', message)
}
