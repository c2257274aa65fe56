import { openParts } from './cli/parts.ts'
import { environment, readConfig } from './config.ts'
import { createLogger } from './log.ts'
import type { Bot } from './ports/bot.ts'
import type { Resolvers } from './prompt/variables.ts'
import type { AnyTool } from './tools/langchain.ts'

export interface HoneOptions {
  /** Settings as in `.env`, over those of the environment. */
  readonly settings?: Readonly<Record<string, string>>
  /** Functions that supply the profile's variables. */
  readonly variables?: Resolvers
  /** Tools that the profile may have used: Hone's own kind, or LangChain's. */
  readonly tools?: readonly AnyTool[]
}

/**
 * The whole bot as the environment configures it: store, engine, knowledge, training. Disposing it closes them all.
 *
 * @throws HoneError CONFIG, MODEL_FILE, DATA_LOCKED and others, each with what to do.
 * @example
 * await using bot = await hone()
 * for await (const event of bot.ask('How many days of vacation do I get?')) if (event.kind === 'done') print(event.reply.text)
 */
export async function hone({ settings = {}, ...given }: HoneOptions = {}): Promise<Bot> {
  const config = readConfig({ ...environment(), ...settings })
  const parts = openParts(config, createLogger(config.logLevel))
  try {
    const bot = await parts.bot(given)
    return { ...bot, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() }
  } catch (error) {
    await parts[Symbol.asyncDispose]()
    throw error
  }
}
