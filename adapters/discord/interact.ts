import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  Interaction,
  Message,
  MessageContextMenuCommandInteraction,
} from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { parseControl } from '../shared/control.ts'
import { onlyLinksTo } from '../shared/links.ts'
import { once } from '../shared/once.ts'
import { commandText, names } from './commands.ts'
import { answerMs, attended, type Desk, defer, inTime, whisper } from './desk.ts'
import { parseAsk, placeOf } from './parse.ts'
import { openPoll, pollCommand } from './poll.ts'
import { showRun } from './run.ts'
import { openCorrection, pressed, sayWhy, submitted } from './votes.ts'

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

/** What is to be done for an interaction; undefined where it is none of ours. */
function workOf(interaction: Interaction, desk: Desk): (() => Promise<void>) | undefined {
  if (interaction.isButton() || interaction.isModalSubmit()) {
    const control = parseControl(interaction.customId)
    if (!control) return undefined
    return () =>
      inTime(interaction, desk, () =>
        interaction.isButton() ? pressed(interaction, control, desk) : submitted(interaction, control, desk),
      )
  }
  if (interaction.isMessageContextMenuCommand()) {
    const { commandName } = interaction
    const ours = commandName === names.correct || commandName === names.why
    return ours ? () => inTime(interaction, desk, () => menu(interaction, desk)) : undefined
  }
  if (!interaction.isChatInputCommand()) return undefined
  switch (interaction.commandName) {
    case names.ask:
      // A host that answers by itself may have an `/ask` of its own.
      return desk.answering ? () => ask(interaction, desk) : undefined
    case names.everyone:
    case names.admin:
      if (desk.answering && interaction.options.getSubcommand(false) === pollCommand.name)
        return () => openPoll(interaction, desk)
      return () => inTime(interaction, desk, () => command(interaction, desk))
    default:
      return undefined
  }
}

/** `/ask`: on disk, then deferred; deferred first where the disk is slow. */
async function ask(
  interaction: ChatInputCommandInteraction,
  { bot, scopes, deferred, isAdmin, wait, log }: Desk,
): Promise<void> {
  const admin = isAdmin(interaction.user.id)
  const event = { ...parseAsk(interaction, scopes), ...(admin ? { admin } : {}) }
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
    // One that came before is answered already, or about to be.
    if ((await kept) === 'duplicate') deferred.delete(event.id)
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
  const text = commandText(found, (name) => options.get(name)?.value as string | boolean | undefined)
  const admin = isAdmin(interaction.user.id)
  const where = { text, channel: 'discord', ...placeOf(interaction) }
  await once(bot.store, { id: `discord:command:${interaction.id}`, ...where }, async () => {
    await defer(interaction)
    const { ok, text: said, data } = await bot.command({ admin, ...where })
    if (ok && isRunningJob(data)) void showRun({ bot, api, log, channel: channelId, tenant: where.tenant, signal })
    await whisper(interaction, found.name === 'why' ? onlyLinksTo(new Set(), said) : said)
  })
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

/** Versions of the model, or of the profile, that fit what was typed so far; the newest first. */
async function complete(interaction: AutocompleteInteraction, { bot, log }: Desk): Promise<void> {
  if (interaction.commandName !== names.admin) return
  const { name, value } = interaction.options.getFocused(true)
  const typed = value.toLowerCase()
  try {
    const all = name === 'version' ? await versionsOf(bot, placeOf(interaction).tenant) : await profilesOf(bot)
    await interaction.respond(all.filter((one) => one.value.toLowerCase().includes(typed)).slice(0, mostChoices))
  } catch (error) {
    log.warn('discord.autocomplete.failed', { error })
  }
}

interface Choice {
  readonly name: string
  readonly value: string
}

async function versionsOf({ learning }: Bot, tenant: string): Promise<readonly Choice[]> {
  const versions = (await learning?.versions(tenant)) ?? []
  return versions.toReversed().map(({ id, serving, canary }) => ({
    name: serving ? `${id} (serves now)` : canary ? `${id} (canary)` : id,
    value: id,
  }))
}

async function profilesOf({ store }: Bot): Promise<readonly Choice[]> {
  const kept = await store.profiles.list()
  return kept.map(({ name, version, at }) => ({
    name: `${version} · ${name.slice(0, 40)} · ${at.toISOString().slice(0, 16).replace('T', ' ')}`,
    value: version,
  }))
}
