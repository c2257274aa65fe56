import type { Readable, Writable } from 'node:stream'
import { greeting, listen, painter } from '../../adapters/terminal/index.ts'
import { HoneError } from '../errors.ts'
import type { Look, Talks } from './talks.ts'

type Screen = Writable & Partial<Look> & { readonly getColorDepth?: () => number }

/** Where a person types, and where they read. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Screen
  /** What is said before the chat begins. */
  readonly say: (text: string) => void
}

/**
 * The side of the process that has the terminal: a chat there until the person quits or the input ends.
 *
 * @throws HoneError when the process that has the bot is gone
 */
export async function talkThrough({ talk: begin, type }: Talks, { input, output, say }: Terminal): Promise<void> {
  const { isTTY = false, columns } = output
  const look = { isTTY, ...(columns === undefined ? {} : { columns }), colours: output.getColorDepth?.() ?? 1 }
  const shown = begin(look)[Symbol.asyncIterator]()
  const first = await shown.next()
  if (first.done || !('talk' in first.value)) throw new HoneError('ENGINE_FAILED', 'The chat did not begin.')
  const { talk, notice } = first.value
  if (notice !== undefined) say(notice)
  const ended = new AbortController()
  const waiting = new Map<number, (next: 'quit' | 'go on') => void>()
  const following = (async () => {
    try {
      for (let one = await shown.next(); !one.done; one = await shown.next()) {
        if ('text' in one.value) output.write(one.value.text)
        if ('line' in one.value) waiting.get(one.value.line)?.(one.value.next)
      }
    } finally {
      ended.abort()
      for (const resolve of waiting.values()) resolve('quit')
    }
  })()
  // Thrown below, once nobody types any more.
  following.catch(() => undefined)
  let lines = 0
  const session = {
    async line(text: string) {
      const line = ++lines
      const { promise, resolve } = Promise.withResolvers<'quit' | 'go on'>()
      waiting.set(line, resolve)
      await type({ talk, kind: 'line', line, text })
      const next = await promise
      waiting.delete(line)
      return next
    },
    stop() {
      if (waiting.size === 0) return false
      void type({ talk, kind: 'stop' }).catch(() => undefined)
      return true
    },
    greet: () => void output.write(greeting(painter(output))),
  }
  await listen(session, { input, output, signal: ended.signal })
  if (!ended.signal.aborted) await type({ talk, kind: 'end' })
  await following
}
