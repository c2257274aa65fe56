import { type APIModalInteractionResponseCallbackData, MessageFlags, type RepliableInteraction } from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Api } from './api.ts'
import type { Row } from './controls.ts'
import type { Scopes } from './parse.ts'
import { messages } from './render.ts'
import type { Deferred } from './surface.ts'

/** What the handlers of interactions work with. */
export interface Desk {
  readonly bot: Bot
  readonly log: Logger
  readonly api: Api
  readonly scopes: Scopes
  readonly deferred: Map<string, Deferred>
  readonly asking: Map<string, string>
  /** The bot answers here; else a host does, and nothing can be tried again. */
  readonly answering: boolean
  /** May this user retrain and promote? */
  readonly isAdmin: (user: string) => boolean
  readonly me: () => string
  /** Aborted when the bot is detached. */
  readonly signal: AbortSignal
  /** Resolves after so many milliseconds, or when the signal says that nobody waits any more. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<unknown>
}

/** Discord wants a first answer within three seconds; this leaves one for the way. */
export const answerMs = 2000
/** First answers that say that the real one comes later, on their way. */
const deferring = new WeakMap<RepliableInteraction, Promise<unknown>>()

/** Does the work of an interaction; what has no answer after two seconds is deferred, so that Discord goes on waiting. */
export async function inTime(
  interaction: RepliableInteraction,
  { wait, log }: Desk,
  work: () => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const deferLate = async (): Promise<void> => {
    await wait(answerMs, over.signal)
    if (!over.signal.aborted) await defer(interaction)
  }
  void deferLate().catch((error: unknown) => log.warn('discord.defer.late', { id: interaction.id, error }))
  await work().finally(() => over.abort())
}

/** Shows "thinking …" to the one who asked, once. */
export async function defer(interaction: RepliableInteraction): Promise<void> {
  const sent = deferring.get(interaction) ?? interaction.deferReply({ flags: MessageFlags.Ephemeral })
  deferring.set(interaction, sent)
  await sent
}

/** True where "thinking …" is shown already, so that no form can be opened and nothing be left unsaid. */
async function isDeferred(interaction: RepliableInteraction): Promise<boolean> {
  await deferring.get(interaction)?.catch(() => undefined)
  return interaction.deferred
}

/** Says something that only the one who asked can see; as many messages as it takes. */
export async function whisper(interaction: RepliableInteraction, text: string, row?: Row): Promise<void> {
  for (const { content = '', components } of messages(text, row)) {
    const said = { content, components, allowedMentions: { parse: [] } } as const
    const flags = [MessageFlags.Ephemeral, MessageFlags.SuppressEmbeds] as const
    if (interaction.replied) await interaction.followUp({ ...said, flags })
    else if (await isDeferred(interaction)) await interaction.editReply({ ...said, flags: MessageFlags.SuppressEmbeds })
    else await interaction.reply({ ...said, flags })
  }
}

/** Takes note of a press that needs no words. */
export async function noted(interaction: Extract<RepliableInteraction, { deferUpdate: unknown }>): Promise<void> {
  if (await isDeferred(interaction)) await interaction.deleteReply()
  else await interaction.deferUpdate()
}

/**
 * Opens a form, which Discord takes as a first answer only.
 *
 * @param late what is said instead where "thinking …" is shown already.
 */
export async function openForm(
  interaction: Extract<RepliableInteraction, { showModal: unknown }>,
  form: APIModalInteractionResponseCallbackData,
  late: { readonly text: string; readonly row?: Row },
): Promise<void> {
  if (await isDeferred(interaction)) await whisper(interaction, late.text, late.row)
  else await interaction.showModal(form)
}

/** Does the work of an interaction; whatever goes wrong is told to the person, logged, and thrown to nobody. */
export async function attended(
  interaction: RepliableInteraction,
  log: Logger,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    const known = error instanceof HoneError
    if (!known) log.warn('discord.interaction.failed', { id: interaction.id, error })
    const text = known ? `${error.message} ${error.help}` : 'That did not work. Try it once more.'
    await whisper(interaction, `⚠️ ${text}`).catch((lost: unknown) =>
      log.warn('discord.interaction.unanswered', { id: interaction.id, error: lost }),
    )
  }
}
