import { createAudit } from './audit.ts'
import { commandList, createCommands } from './commands.ts'
import { whatBecameOf } from './cut-short.ts'
import { asHoneError } from './errors.ts'
import { createFormCheck } from './forms.ts'
import { createIntake, type Intake, type Meter } from './intake.ts'
import { createLimit, type Limits } from './limit.ts'
import { createListeners } from './listeners.ts'
import type { Logger } from './log.ts'
import { explain, keepFeedback } from './opinions.ts'
import type { Bot } from './ports/bot.ts'
import type { InboundMessage } from './ports/channel.ts'
import type { EngineSlot } from './ports/engine.ts'
import type { Examples } from './ports/examples.ts'
import type { Knowledge } from './ports/knowledge.ts'
import type { Learning } from './ports/learning.ts'
import type { Replays } from './ports/replay.ts'
import type { Store } from './ports/store.ts'
import { openProfiles, type ProfileShelf } from './profiles.ts'
import type { Profile } from './prompt/profile.ts'
import { type Backend, createResolve, type Resolvers } from './prompt/variables.ts'
import type { AnyTool } from './tools/langchain.ts'
import { openToolbox } from './tools/toolbox.ts'

export interface BotOptions {
  readonly store: Store
  readonly slot: EngineSlot
  readonly profile: Profile
  readonly log: Logger
  readonly knowledge?: Knowledge
  readonly learning?: Learning
  /** Judged replies that are told as examples, where the profile's `learn` wants them. */
  readonly examples?: Examples
  /** Past threads answered again by another profile. */
  readonly replays?: Replays
  /** The versions of that profile, where the host has opened them itself. */
  readonly profiles?: ProfileShelf
  /** Functions that supply the profile's variables. */
  readonly variables?: Resolvers
  /** Reads the paths that the profile's variables come from. */
  readonly backend?: Backend | undefined
  /** Tools that the profile may have used: Hone's own kind, or LangChain's. */
  readonly tools?: readonly AnyTool[]
  /** Share of replies shown as a blind duel, on channels that can. */
  readonly duelRate?: number
  /** A thread in which it is said what becomes of a canary; absent: where its training was asked for. */
  readonly adminChannel?: string
  /** Channels whose votes may be trained on; told by `privacy` and `status`. */
  readonly trainOn?: readonly string[]
  /** Called after a person's turns and votes were deleted: deletes what else is known of them. */
  readonly onForget?: (person: string) => Promise<unknown>
  /** What one person may send through the channels in a minute; absent: no limit. */
  readonly limits?: Limits
  /** People are told what their votes changed, unless they don't want it. */
  readonly receipts?: boolean
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
  const {
    store,
    slot,
    log,
    learning,
    knowledge,
    examples,
    variables = {},
    duelRate = 0,
    random = Math.random,
  } = options
  const profiles = options.profiles ?? (await openProfiles({ store, file: options.profile, log }))
  const tools = await openToolbox(options.tools ?? [], options.backend)
  const canFill = createFormCheck(slot)
  const check = async (profile: Profile): Promise<void> => {
    tools.check(profile)
    await canFill(profile)
  }
  await check(profiles.serving)
  profiles.guard(check)
  const questions = createLimit(options.limits?.questions ?? 0, 'questions')
  const presses = createLimit(options.limits?.presses ?? 0, 'votes and commands')
  const parts = {
    store,
    slot,
    profiles,
    tools,
    log,
    resolve: createResolve({ resolvers: variables, backend: options.backend, log }),
    meter: options.meter,
    limit: questions,
    ...(knowledge ? { knowledge } : {}),
    ...(examples ? { examples } : {}),
  }
  const listeners = createListeners(log)
  const forget = async (person: string): Promise<number> => {
    const rows = await store.feedback.forget(person)
    await options.onForget?.(person)
    return rows
  }
  const live = learning?.live
  const notice: Intake['notice'] = (...said) => intake.notice(...said)
  const audit = live && createAudit({ store, live, notice, to: options.adminChannel ?? '', log })
  const canaries = live && audit ? { canaries: { live, wait: audit.wait } } : {}
  const becameOf = (event: InboundMessage) => whatBecameOf(event, { store, forget, ...canaries })
  const intake = await createIntake({ ...parts, becameOf, announce: listeners.tell }, () => random() < duelRate)
  const bot: Bot = {
    store,
    commands: commandList,
    ...(learning ? { learning } : {}),
    ...(options.replays ? { replays: options.replays } : {}),
    attach: (channel) => intake.attach(channel),
    receive: (event) => intake.receive(event),
    ask: (text, asked = {}) => intake.ask(text, asked),
    stop: (eventId) => intake.stop(eventId),
    async feedback(event) {
      presses.take(event.person.id)
      await keepFeedback(event, store)
      // Not waited for: what was said is on disk, and what it decides is told to others.
      void live?.look()
      examples?.judged(event.tenant, event.kind === 'duel' ? (event.duel.split('.')[0] ?? '') : event.turn)
      log.info('feedback.kept', { kind: event.kind, tenant: event.tenant })
    },
    why: (turn) => explain(turn, store, learning),
    on: listeners.on,
    tell: intake.tell,
    async command(request) {
      try {
        presses.take(request.person.id)
      } catch (error) {
        const { message, code } = asHoneError(error, 'LIMIT', 'Too much')
        return { ok: false, text: message, data: { code } }
      }
      return command(request)
    },
    async [Symbol.asyncDispose]() {
      await audit?.[Symbol.asyncDispose]()
      await intake.close()
    },
  }
  const command = createCommands({
    bot,
    slot,
    profiles,
    notice,
    audit,
    trainOn: options.trainOn ?? [],
    forget,
    receipts: options.receipts ?? false,
    log,
  })
  return bot
}
