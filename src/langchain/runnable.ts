import { type RunnableConfig, RunnableLambda } from '@langchain/core/runnables'
import { type ErrorCode, HoneError } from '../errors.ts'
import type { AskOptions, Bot } from '../ports/bot.ts'
import type { ReplyEvent } from '../ports/channel.ts'

/** A question by itself, or in a thread that the bot remembers. */
export type Question = string | { readonly question: string; readonly thread?: string }

/**
 * The bot as a LangChain runnable: retrieval, profile, version and thread memory included. `stream` gives the reply as
 * it is made, `invoke` gives it whole; a duel gives its left reply.
 *
 * @throws HoneError from the run, with the code that the bot reported.
 * @example const chain = asRunnable(bot).pipe((reply: string) => reply.toUpperCase())
 */
export function asRunnable(
  bot: Bot,
  options: Omit<AskOptions, 'thread' | 'signal'> = {},
): RunnableLambda<Question, string> {
  async function* answer(input: Question, config: RunnableConfig): AsyncGenerator<string> {
    const { question, thread } = typeof input === 'string' ? { question: input } : input
    let said = false
    const given = { ...options, ...(thread ? { thread } : {}), ...(config.signal ? { signal: config.signal } : {}) }
    for await (const event of bot.ask(question, given)) {
      const text = textOf(event, said)
      if (text === '') continue
      said = true
      yield text
    }
  }
  // A generator function is LangChain's way to make a runnable that streams; its types know only what it yields.
  return RunnableLambda.from<Question, string>(answer as unknown as (input: Question) => Promise<string>)
}

/** The last event holds the whole reply; it counts only when nothing was streamed. */
function textOf(event: ReplyEvent, said: boolean): string {
  if (event.kind === 'delta') return event.text
  if (event.kind === 'error') throw new HoneError(event.code as ErrorCode, event.message)
  if (said) return ''
  if (event.kind === 'done') return event.reply.text
  return event.kind === 'duel' ? event.left.text : ''
}
