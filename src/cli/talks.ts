import { PassThrough, Writable } from 'node:stream'
import { type Chat, openChat } from '../../adapters/terminal/index.ts'
import { HoneError } from '../errors.ts'
import { newId } from '../id.ts'
import type { Bot } from '../ports/bot.ts'

/** The terminal that a chat is shown on. */
export interface Look {
  readonly isTTY: boolean
  readonly columns?: number
  /** Bits of colour, as `tty.WriteStream.getColorDepth` counts them. */
  readonly colours: number
}

/** What a chat tells the terminal that shows it: its name first, then texts, and after each line what comes next. */
export type Shown =
  | { readonly talk: string; readonly notice?: string }
  | { readonly text: string }
  | { readonly line: number; readonly next: 'quit' | 'go on' }

/** What the terminal tells a chat. */
export type Typed = { readonly talk: string } & (
  | { readonly kind: 'line'; readonly line: number; readonly text: string }
  | { readonly kind: 'stop' | 'end' }
)

/** Chats of terminals that may belong to other processes: values that fit through a connection go in and out. */
export interface Talks {
  /** Begins a chat and tells what it shows, until it is told to end. */
  talk(look: Look): AsyncIterable<Shown>
  type(typed: Typed): Promise<void>
}

/** The side of the process that has the bot. `notice` is told to each terminal before the chat begins. */
export function createTalks(bot: () => Promise<Bot>, notice: () => string | undefined = () => undefined): Talks {
  const talks = new Map<string, { readonly session: Chat; readonly shown: PassThrough }>()
  return {
    async *talk(look) {
      const talk = newId('talk')
      const shown = new PassThrough({ objectMode: true })
      const session = openChat(await bot(), { output: screen(look, shown), admin: true })
      talks.set(talk, { session, shown })
      try {
        const said = notice()
        yield { talk, ...(said === undefined ? {} : { notice: said }) }
        yield* shown as AsyncIterable<Shown>
      } finally {
        talks.delete(talk)
        session.end()
      }
    },
    async type(typed) {
      const { session, shown } = talks.get(typed.talk) ?? {}
      if (!session || !shown) throw new HoneError('NOT_FOUND', 'That chat has ended; `hone chat` begins a new one.')
      if (typed.kind === 'stop') session.stop()
      if (typed.kind === 'end') shown.end()
      if (typed.kind === 'line') {
        const { line, text } = typed
        void session.line(text).then((next) => show(shown, { line, next }))
      }
    },
  }
}

function screen({ isTTY, columns, colours }: Look, shown: PassThrough): Writable & { readonly isTTY: boolean } {
  const output = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      show(shown, { text: String(text) })
      done()
    },
  })
  return Object.assign(output, { isTTY, columns, getColorDepth: () => colours })
}

/** A reply may still be written when its terminal is gone. */
function show(shown: PassThrough, what: Shown): void {
  if (!shown.writableEnded) shown.write(what)
}
