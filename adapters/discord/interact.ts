import {
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Interaction,
  type Message,
  type MessageContextMenuCommandInteraction,
  MessageFlags,
} from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import { parseControl } from '../shared/control.ts'
import { commandText, names } from './commands.ts'
import { attended, type Desk, whisper } from './desk.ts'
import { parseAsk, placeOf } from './parse.ts'
import { showRun } from './run.ts'
import { openCorrection, pressed, sayWhy, submitted } from './votes.ts'

/** Discord wants a first answer within three seconds; this leaves one for the way. */
const answerMs = 2000
/** A token lives 15 minutes; the last of them is not for us. */
const tokenMs = 14 * 60_000

/** Handles what is ours and leaves everything else to the host. Never throws. */
export async function onInteraction(interaction: Interaction, desk: Desk): Promise<void> {
  const { log } = desk
  if (interaction.isAutocomplete()) return complete(interaction, desk)
  if (!interaction.isRepliable()) return
  const work = workOf(interaction, desk)
  if (work) await attended(interaction, log, work)
}

function workOf(interaction: Interaction, desk: Desk): (() => Promise<void>) | undefined {
  if (interaction.isButton() || interaction.isModalSubmit()) {
    const control = parseControl(interaction.customId)
    if (!control) return undefined
    return () => (interaction.isButton() ? pressed(interaction, control, desk) : submitted(interaction, control, desk))
  }
  if (interaction.isMessageContextMenuCommand()) {
    const { commandName } = interaction
    const ours = commandName === names.correct || commandName === names.why
    return ours ? () => menu(interaction, desk) : undefined
  }
  if (!interaction.isChatInputCommand()) return undefined
  switch (interaction.commandName) {
    case names.ask:
      // A host that answers by itself may have an `/ask` of its own.
      return desk.answering ? () => ask(interaction, desk) : undefined
    case names.everyone:
    case names.admin:
      return () => command(interaction, desk)
    default:
      return undefined
  }
}

/** `/ask`: on disk, then deferred; deferred first where the disk is slow. */
async function ask(
  interaction: ChatInputCommandInteraction,
  { bot, scopes, deferred, wait, log }: Desk,
): Promise<void> {
  const event = parseAsk(interaction, scopes)
  const acknowledged = Promise.withResolvers<boolean>()
  const until = interaction.createdTimestamp + tokenMs
  deferred.set(event.id, { token: interaction.token, until, acknowledged: acknowledged.promise })
  const kept = bot.receive(event)
  try {
    await Promise.race([kept, wait(answerMs)])
    await interaction.deferReply().then(
      () => acknowledged.resolve(true),
      (error: unknown) => {
        log.warn('discord.defer.late', { id: interaction.id, error })
        acknowledged.resolve(false)
      },
    )
    await kept
  } catch (error) {
    deferred.delete(event.id)
    throw error
  }
}

async function command(interaction: ChatInputCommandInteraction, desk: Desk): Promise<void> {
  const { bot, isAdmin, api, log, signal } = desk
  const { options, channelId } = interaction
  const found = bot.commands.find(({ name }) => name === options.getSubcommand())
  if (!found) return whisper(interaction, 'That command is not there any more.')
  await interaction.deferReply({ flags: MessageFlags.Ephemeral })
  const text = commandText(found, (name) => options.get(name)?.value as string | boolean | undefined)
  const admin = isAdmin(interaction.user.id)
  const { ok, text: said, data } = await bot.command({ text, channel: 'discord', admin, ...placeOf(interaction) })
  if (ok && isRunningJob(data)) void showRun({ bot, api, log, channel: channelId, signal })
  await whisper(interaction, said)
}

function isRunningJob(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'state' in data && data.state === 'running'
}

/** *Suggest a better answer* and *Why this answer?* in the menu of a message. */
async function menu(interaction: MessageContextMenuCommandInteraction, desk: Desk): Promise<void> {
  const { targetMessage, commandName } = interaction
  const turn = targetMessage.author.id === desk.me() ? await turnOf(targetMessage, interaction, desk) : undefined
  if (!turn) return whisper(interaction, 'That is not one of my answers.')
  if (commandName === names.correct) return openCorrection(interaction, turn, desk)
  return sayWhy(interaction, turn, desk)
}

/** The turn that a message carries: its own buttons say so, else the store does. */
async function turnOf(message: Message, interaction: Interaction, { bot }: Desk): Promise<string | undefined> {
  for (const row of message.components) {
    for (const part of 'components' in row ? row.components : []) {
      const control = parseControl('customId' in part ? part.customId : undefined)
      if (control && !control.action.startsWith('duel') && control.action !== 'stop') return control.id
    }
  }
  const { thread } = placeOf(interaction)
  const found = await bot.store.messages.find({ thread, id: message.id })
  if (found?.role === 'assistant' && found.duel)
    throw new HoneError('FEEDBACK', 'Those are two answers. Say by the buttons which is better.')
  return found?.id
}

const mostChoices = 25

/** Versions that fit what was typed so far. */
async function complete(interaction: AutocompleteInteraction, { bot, log }: Desk): Promise<void> {
  if (interaction.commandName !== names.admin && interaction.commandName !== names.everyone) return
  try {
    const typed = String(interaction.options.getFocused()).toLowerCase()
    const versions = (await bot.learning?.versions()) ?? []
    const fitting = versions.filter(({ id }) => id.toLowerCase().includes(typed)).slice(-mostChoices)
    await interaction.respond(
      fitting.toReversed().map(({ id, serving }) => ({ name: serving ? `${id} (serves now)` : id, value: id })),
    )
  } catch (error) {
    log.warn('discord.autocomplete.failed', { error })
  }
}
