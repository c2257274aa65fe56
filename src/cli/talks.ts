import { PassThrough, Writable } from 'node:stream'
import { styleText } from 'node:util'
import { type Chat, openChat, type Paint } from '../../adapters/terminal/index.ts'
import { HoneError } from '../errors.ts'
import { newId } from '../id.ts'
import type { Bot } from '../ports/bot.ts'

/** The terminal that a chat is shown on. */
export interface Look {
  readonly isTTY: boolean
  readonly columns?: number
  readonly colours: boolean
}

/** What a chat tells the terminal that shows it: its name first, then texts, and after each line what comes next. */
export type Shown =
  | { readonly talk: string; readonly notice?: string }
  | { readonly text: string }
  | { readonly line: number; readonly next: 'quit' | 'go on' }

/** What the terminal tells a chat: a line, by its number, or that the reply is to stop. */
export type Typed = { readonly talk: string } & (
  | { readonly line: number; readonly text: string }
  | { readonly stop: true }
)

/** Chats of terminals that may belong to other processes: values that fit through a connection go in and out. */
export interface Talks {
  /** Begins a chat and tells what it shows, until the signal ends it. */
  talk(look: Look, signal: AbortSignal): AsyncIterable<Shown>
  type(typed: Typed): Promise<void>
}

/** The side of the process that has the bot. `notice` is told to each terminal before the chat begins. */
export function createTalks(bot: () => Promise<Bot>, notice: () => string | undefined = () => undefined): Talks {
  const talks = new Map<string, { readonly session: Chat; readonly shown: PassThrough }>()
  return {
    async *talk(look, signal) {
      const talk = newId('talk')
      const shown = new PassThrough({ objectMode: true })
      const session = openChat(await bot(), { output: screen(look, shown), paint: paintFor(look), admin: true })
      talks.set(talk, { session, shown })
      const end = () => void shown.end()
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
      try {
        const said = notice()
        yield { talk, ...(said === undefined ? {} : { notice: said }) }
        yield* shown as AsyncIterable<Shown>
      } finally {
        signal.removeEventListener('abort', end)
        talks.delete(talk)
        session.end()
      }
    },
    async type(typed) {
      const { session, shown } = talks.get(typed.talk) ?? {}
      if (!session || !shown) throw new HoneError('NOT_FOUND', 'That chat has ended; `hone chat` begins a new one.')
      if ('stop' in typed) {
        session.stop()
        return
      }
      const { line, text } = typed
      void session.line(text).then((next) => show(shown, { line, next }))
    },
  }
}

function screen({ isTTY, columns }: Look, shown: PassThrough): Writable & { readonly isTTY: boolean } {
  const output = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      show(shown, { text: String(text) })
      done()
    },
  })
  return Object.assign(output, { isTTY, columns })
}

/** The terminal decides about colours, not what this process was started with. */
function paintFor({ colours }: Look): Paint {
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text)
}

/** A reply may still be written when its terminal is gone. */
function show(shown: PassThrough, what: Shown): void {
  if (!shown.writableEnded) shown.write(what)
}
