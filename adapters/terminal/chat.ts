import type { Writable } from 'node:stream'
import { asHoneError, HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import type { Bot, FeedbackEvent } from '../../src/ports/bot.ts'
import type { Channel, Inbound, Person, Reply } from '../../src/ports/channel.ts'
import type { DuelOutcome } from '../../src/ports/store.ts'
import { type Ending, terminalChannel } from './deliver.ts'
import { painter } from './paint.ts'
import { type Line, messageLimit, parseLine, parseOutcome } from './parse.ts'
import { showRun } from './progress.ts'
import { errorText, help, outcomeText, type Paint, plain, whyText } from './render.ts'

/** What a chat is shown on, and who talks. */
export interface ChatOptions {
  /** Absent: the colours that fit `output`. */
  readonly paint?: Paint
  readonly output: Writable & { readonly isTTY?: boolean }
  readonly person?: Person
  /** May this person retrain and choose versions? The person at the machine usually may. */
  readonly admin: boolean
}

/** One person's chat in one terminal, apart from how lines are read. */
export interface Chat {
  readonly channel: Channel
  readonly thread: string
  /** Does what a line says; resolves when the next line may come. */
  line(text: string): Promise<'quit' | 'go on'>
  /** True when there was a reply to stop. */
  stop(): boolean
  greet(): void
  end(): void
}

type Told = FeedbackEvent extends infer One
  ? One extends FeedbackEvent
    ? Omit<One, 'tenant' | 'person'>
    : never
  : never

interface Session {
  readonly bot: Bot
  readonly options: ChatOptions
  readonly paint: Paint
  readonly person: Person
  readonly thread: string
  readonly waiting: Map<string, () => void>
  readonly ended: AbortController
  readonly write: (text: string) => void
  /** What votes are about. */
  newest: Reply | undefined
  duel: Extract<Ending, { kind: 'duel' }> | undefined
  /** The event that is being answered. */
  answering: string | undefined
}

/** Begins a chat in a thread of its own. */
export function chat(bot: Bot, options: ChatOptions): Chat {
  const session = begin(bot, options)
  const { write, paint, ended, thread } = session
  return {
    channel: terminalChannel({
      write,
      paint,
      statuses: options.output.isTTY === true,
      ended: (...how) => settle(session, ...how),
    }),
    thread,
    async line(text) {
      try {
        const outcome = session.duel ? parseOutcome(text) : null
        if (outcome) return await decide(session, outcome)
        return await act(session, parseLine(text))
      } catch (error) {
        write(errorText(asHoneError(error, 'INPUT', 'That did not work'), paint))
        return 'go on'
      }
    },
    stop() {
      if (!session.answering) return false
      bot.stop(session.answering)
      return true
    },
    greet: () => write(greeting(paint)),
    end: () => ended.abort(),
  }
}

/** What a chat begins with. */
export function greeting(paint: Paint): string {
  return paint('dim', 'Ask something. /help shows what else you can do.\n')
}

function begin(bot: Bot, options: ChatOptions): Session {
  const { output } = options
  return {
    bot,
    options,
    paint: options.paint ?? painter(output),
    person: options.person ?? { id: 'terminal:you', name: 'You' },
    thread: `terminal:main:${newId('t')}`,
    waiting: new Map(),
    ended: new AbortController(),
    write: (text) => void (text && output.write(text)),
    newest: undefined,
    duel: undefined,
    answering: undefined,
  }
}

function settle(session: Session, event: Inbound, ending: Ending): void {
  if (ending.kind === 'reply') {
    session.newest = ending.reply
    session.duel = undefined
  }
  if (ending.kind === 'duel') session.duel = ending
  session.waiting.get(event.id)?.()
}

async function answer(
  session: Session,
  what: { kind: 'message'; text: string } | { kind: 'retry'; turn: string },
): Promise<void> {
  const { bot, person, thread, waiting, ended, options } = session
  const who = { person, ...(options.admin ? { admin: true } : {}) }
  const place = { channel: 'terminal', tenant: 'terminal', thread, ...who, scopes: [], at: new Date() }
  const event: Inbound = { ...what, ...place, id: newId('terminal:e') }
  const done = Promise.withResolvers<void>()
  waiting.set(event.id, done.resolve)
  ended.signal.addEventListener('abort', () => done.resolve(), { once: true })
  session.answering = event.id
  try {
    await bot.receive(event)
    await done.promise
  } finally {
    session.answering = undefined
    waiting.delete(event.id)
  }
}

async function act(session: Session, line: Line): Promise<'quit' | 'go on'> {
  const { write, paint } = session
  switch (line.kind) {
    case 'quit':
      return 'quit'
    case 'nothing':
      break
    case 'help':
      write(help)
      break
    case 'stop':
      write('No reply is being written.\n')
      break
    case 'unknown':
      write(`There is no command /${plain(line.word)}. /help lists them; begin with // to say a slash.\n`)
      break
    case 'say':
      if (line.text.length > messageLimit) throw tooLong(line.text)
      await answer(session, { kind: 'message', text: line.text })
      break
    case 'again':
      await answer(session, { kind: 'retry', turn: newest(session).turn })
      break
    case 'why':
      write(whyText(await session.bot.why(newest(session).turn), paint))
      break
    case 'command':
      await command(session, line.text)
      break
    default:
      await judge(session, line)
  }
  return 'go on'
}

async function judge(session: Session, line: Extract<Line, { kind: 'vote' | 'better' }>): Promise<void> {
  const { turn } = newest(session)
  if (line.kind === 'vote') {
    await tell(session, { kind: 'vote', turn, verdict: line.verdict, ...(line.reason ? { reason: line.reason } : {}) })
    return session.write(session.paint('dim', thanks[line.verdict]))
  }
  if (line.text === '') throw new HoneError('INPUT', 'There is no text after /better.')
  await tell(session, { kind: 'correction', turn, text: line.text })
  session.write(session.paint('dim', thanks.better))
}

const thanks = {
  up: 'Thank you.\n',
  down: 'Noted. /again for another try, or /better TEXT.\n',
  none: 'Your vote is withdrawn.\n',
  better: 'Thank you, kept as the better answer.\n',
} as const

async function decide(session: Session, outcome: DuelOutcome): Promise<'go on'> {
  const { duel } = session
  if (!duel) return 'go on'
  await tell(session, { kind: 'duel', duel: duel.id, outcome })
  session.duel = undefined
  session.newest = outcome === 'right' ? duel.right : duel.left
  session.write(session.paint('dim', outcomeText(outcome, duel.left, duel.right)))
  return 'go on'
}

/** A training run is followed beside the chat: people go on talking while the bot learns. */
async function command(session: Session, text: string): Promise<void> {
  const { bot, options, person, thread, paint, write, ended } = session
  const place = { tenant: 'terminal', channel: 'terminal', thread, person, admin: options.admin }
  const stopWatching = new AbortController()
  const trains = /^(re)?train\b(?!.*--dry-run)/.test(text)
  const signal = AbortSignal.any([ended.signal, stopWatching.signal])
  const run = trains && bot.learning ? showRun(bot.learning, { output: options.output, paint, signal }) : undefined
  run?.catch((error: unknown) =>
    write(errorText(asHoneError(error, 'TRAINER_FAILED', 'The run can’t be followed'), paint)),
  )
  const reply = await bot.command({ ...place, text: text || 'help' })
  if (!reply.ok) stopWatching.abort()
  write(`${plain(reply.text)}\n`)
}

function newest(session: Session): Reply {
  if (session.newest) return session.newest
  throw new HoneError('INPUT', session.duel ? 'Answer the duel first: 1, 2, t or b.' : 'There is no reply yet.')
}

function tell(session: Session, event: Told): Promise<void> {
  return session.bot.feedback({ tenant: 'terminal', person: session.person, ...event })
}

function tooLong(text: string): HoneError {
  return new HoneError('INPUT', `The message has ${text.length} characters; at most ${messageLimit} fit.`)
}
