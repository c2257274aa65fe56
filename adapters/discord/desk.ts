import { MessageFlags, type RepliableInteraction } from 'discord.js'
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
  readonly wait: (ms: number) => Promise<unknown>
}

/** Says something that only the one who asked can see; as many messages as it takes. */
export async function whisper(interaction: RepliableInteraction, text: string, row?: Row): Promise<void> {
  for (const { content = '', components } of messages(text, row)) {
    const said = { content, components, allowedMentions: { parse: [] } } as const
    if (interaction.deferred && !interaction.replied) await interaction.editReply(said)
    else if (interaction.replied) await interaction.followUp({ ...said, flags: MessageFlags.Ephemeral })
    else await interaction.reply({ ...said, flags: MessageFlags.Ephemeral })
  }
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
