import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Chat } from './chat.ts'
import { parseLine } from './parse.ts'

/** Where lines come from, and where what is typed shows. */
export interface ListenOptions {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean }
  /** Ends the chat from outside. */
  readonly signal?: AbortSignal
}

/**
 * Reads lines and hands them on one at a time, so that a pipe is answered in order; `/stop` and Ctrl-C overtake, since
 * they are about the reply that is being written.
 */
export async function listen(session: Pick<Chat, 'line' | 'stop' | 'greet'>, options: ListenOptions): Promise<void> {
  const { input, output, signal } = options
  const lines = createInterface({ input, output, prompt: '› ', terminal: isTerminal(options) })
  const prompt = () => {
    if (output.isTTY) lines.prompt()
  }
  let warned = false
  let over = false
  let queue: Promise<void> = Promise.resolve()
  const closed = new Promise<void>((resolve) => lines.once('close', resolve))
  const leave = () => {
    over = true
    lines.close()
  }
  const handle = async (text: string) => {
    if (over) return
    warned = false
    if ((await session.line(text)) === 'quit') leave()
    else prompt()
  }
  lines.on('line', (text) => {
    if (parseLine(text).kind === 'stop' && session.stop()) return
    queue = queue.then(() => handle(text))
  })
  lines.on('SIGINT', () => {
    if (session.stop()) return
    if (warned) return leave()
    warned = true
    output.write('\nPress Ctrl-C again to quit.\n')
    prompt()
  })
  const aborted = Promise.withResolvers<void>()
  signal?.addEventListener('abort', () => aborted.resolve(leave()), { once: true })
  session.greet()
  prompt()
  await closed
  // What was piped in before the end is still answered; a person who quits doesn't wait.
  if (!over) await Promise.race([queue, aborted.promise])
}

function isTerminal({ input, output }: ListenOptions): boolean {
  return output.isTTY === true && input.isTTY === true
}
