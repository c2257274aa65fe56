import type { Readable, Writable } from 'node:stream'
import { greeting, listen, painter, parseLine } from '../../adapters/terminal/index.ts'
import { HoneError } from '../errors.ts'
import type { Talks } from './talks.ts'

/** Where a person types, and where they read. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  /** What is said before the chat begins. */
  readonly say: (text: string) => void
}

/**
 * The side of the process that has the terminal: a chat there until the person quits or the input ends.
 *
 * @throws HoneError when the process that has the bot is gone
 * @example await talkThrough(desk, { input: process.stdin, output: process.stdout, say: output.say })
 */
export async function talkThrough({ talk: begin, type }: Talks, { input, output, say }: Terminal): Promise<void> {
  const paint = painter(output)
  const { isTTY = false, columns } = output
  const leaving = new AbortController()
  const look = { isTTY, ...(columns === undefined ? {} : { columns }), colours: paint('dim', 'x') !== 'x' }
  const shown = begin(look, leaving.signal)[Symbol.asyncIterator]()
  const first = await shown.next()
  if (first.done || !('talk' in first.value)) throw new HoneError('ENGINE_FAILED', 'The chat did not begin.')
  const { talk, notice } = first.value
  if (notice !== undefined) say(notice)

  const over = new AbortController()
  const waiting = new Map<number, { readonly text: string; readonly resolve: (next: 'quit' | 'go on') => void }>()
  let failure: { readonly error: unknown } | undefined
  const fail = (error: unknown) => {
    if (!leaving.signal.aborted) failure ??= { error }
    over.abort()
    for (const { resolve } of waiting.values()) resolve('quit')
  }
  const following = (async () => {
    for (let one = await shown.next(); !one.done; one = await shown.next()) {
      if ('text' in one.value) output.write(one.value.text)
      if ('line' in one.value) waiting.get(one.value.line)?.resolve(one.value.next)
    }
  })().then(() => over.abort(), fail)

  let lines = 0
  const session = {
    async line(text: string) {
      const line = ++lines
      const { promise, resolve } = Promise.withResolvers<'quit' | 'go on'>()
      waiting.set(line, { text, resolve })
      await type({ talk, line, text }).catch(fail)
      const next = await promise
      waiting.delete(line)
      return next
    },
    stop() {
      const answering = [...waiting.values()].some(({ text }) => /^(?:say|again)$/.test(parseLine(text).kind))
      if (answering) void type({ talk, stop: true }).catch(fail)
      return answering
    },
    greet: () => void output.write(greeting(paint)),
  }
  try {
    await listen(session, { input, output, signal: over.signal })
  } finally {
    leaving.abort()
  }
  await following
  if (failure) throw failure.error
}
