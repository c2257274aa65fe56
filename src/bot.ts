import { commandList, createCommands } from './commands.ts'
import { createIntake, type Meter } from './intake.ts'
import type { Logger } from './log.ts'
import { explain, keepFeedback } from './opinions.ts'
import type { Bot } from './ports/bot.ts'
import type { EngineSlot } from './ports/engine.ts'
import type { Knowledge } from './ports/knowledge.ts'
import type { Learning } from './ports/learning.ts'
import type { Store } from './ports/store.ts'
import type { Profile } from './prompt/profile.ts'
import type { Resolvers } from './prompt/variables.ts'

export interface BotOptions {
  readonly store: Store
  readonly slot: EngineSlot
  readonly profile: Profile
  readonly log: Logger
  readonly knowledge?: Knowledge
  readonly learning?: Learning
  /** Functions that supply the profile's variables. */
  readonly variables?: Resolvers
  /** Share of replies shown as a blind duel, on channels that can. */
  readonly duelRate?: number
  /** Channels whose votes may be trained on; told by `privacy` and `status`. */
  readonly trainOn?: readonly string[]
  /** Called after a person's turns and votes were deleted: deletes what else is known of them. */
  readonly onForget?: (person: string) => Promise<unknown>
  /** Counts replies. */
  readonly meter?: Meter
  /** A number from 0 to 1, for choosing duels. */
  readonly random?: () => number
}

/**
 * The conversation core: keeps each event on disk, answers one at a time per thread, and takes votes.
 * It does not own its parts: dispose the bot first, then slot and store.
 *
 * @example
 * const bot = await createBot({ store, slot, profile, log })
 * for await (const event of bot.ask('How many days of vacation do I get?')) if (event.kind === 'done') print(event.reply.text)
 */
export async function createBot(options: BotOptions): Promise<Bot> {
  const { store, slot, profile, log, learning, knowledge, variables = {}, duelRate = 0, random = Math.random } = options
  await store.profiles.put(profile.name, profile.version, profile.source)
  const parts = {
    store,
    slot,
    profile,
    log,
    resolvers: variables,
    meter: options.meter,
    ...(knowledge ? { knowledge } : {}),
  }
  const intake = await createIntake(parts, () => random() < duelRate)
  const bot: Bot = {
    store,
    commands: commandList,
    ...(learning ? { learning } : {}),
    attach: (channel) => intake.attach(channel),
    receive: (event) => intake.receive(event),
    ask: (text, asked = {}) => intake.ask(text, asked),
    stop: (eventId) => intake.stop(eventId),
    async feedback(event) {
      await keepFeedback(event, store)
      log.info('feedback.kept', { kind: event.kind, tenant: event.tenant })
    },
    why: (turn) => explain(turn, store, learning),
    command: (request) => command(request),
    [Symbol.asyncDispose]: () => intake.close(),
  }
  const command = createCommands({
    bot,
    slot,
    notice: intake.notice,
    trainOn: options.trainOn ?? [],
    onForget: options.onForget ?? (async () => {}),
    log,
  })
  return bot
}
