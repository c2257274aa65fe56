import {
  type APIApplicationCommandBasicOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  PermissionFlagsBits,
  type RESTPostAPIApplicationCommandsJSONBody,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js'
import type { CommandInfo } from '../../src/ports/bot.ts'
import { pollCommand } from './poll.ts'

export const names = {
  ask: 'ask',
  everyone: 'hone',
  admin: 'hone-admin',
  correct: 'Suggest a better answer',
  why: 'Why this answer?',
} as const

const where = {
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
}
const longestQuestion = 6000
const longestDescription = 100

/** Everything that is registered with Discord. In observe mode the bot is not asked. */
export function commandSet(
  commands: readonly CommandInfo[],
  mode: 'answer' | 'observe',
): readonly RESTPostAPIApplicationCommandsJSONBody[] {
  const menu = (name: string): RESTPostAPIApplicationCommandsJSONBody => ({
    type: ApplicationCommandType.Message,
    name,
    ...where,
  })
  const group = (
    name: string,
    description: string,
    admin: boolean,
  ): RESTPostAPIChatInputApplicationCommandsJSONBody => ({
    type: ApplicationCommandType.ChatInput,
    name,
    description,
    options: [
      ...commands.filter((command) => command.admin === admin).map(subcommand),
      // A host that answers by itself has no profile of Hone's.
      ...(admin && mode === 'answer' ? [pollCommand] : []),
    ],
    ...(admin ? { default_member_permissions: String(PermissionFlagsBits.ManageGuild) } : {}),
    ...where,
  })
  const ask: RESTPostAPIApplicationCommandsJSONBody = {
    type: ApplicationCommandType.ChatInput,
    name: names.ask,
    description: 'Ask a question',
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: 'question',
        description: 'What you want to know',
        required: true,
        max_length: longestQuestion,
      },
    ],
    ...where,
  }
  return [
    ...(mode === 'answer' ? [ask] : []),
    group(names.everyone, 'What this bot knows, learned and keeps', false),
    group(names.admin, 'Train the bot and choose what serves', true),
    menu(names.correct),
    menu(names.why),
  ]
}

function subcommand({ name, usage, help }: CommandInfo) {
  const options = parametersOf(usage).map(optionOf)
  return {
    type: ApplicationCommandOptionType.Subcommand as const,
    name,
    description: sentence(help),
    // Discord wants what is required first.
    options: options.toSorted((a, b) => Number(b.required ?? false) - Number(a.required ?? false)),
  }
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1)
  return whole.length <= longestDescription ? whole : `${whole.slice(0, longestDescription - 1)}…`
}

/** One argument of a command, as its usage writes it. */
type Parameter =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'choice' | 'action'; readonly name: string; readonly choices: readonly string[] }
  | { readonly kind: 'value'; readonly name: string; readonly required: boolean }
  | { readonly kind: 'word'; readonly name: string }

function parametersOf(usage: string): readonly Parameter[] {
  const found = usage.matchAll(
    /\[--([\w-]+)(?: ([\w|-]+))?\]|(?<= )([a-z]+(?:\|[a-z]+)+)(?= |$)|\[([A-Z]+)\]|(?<= )([A-Z]+)(?= |$)|(?<= )([a-z]+)(?= |$)/g,
  )
  return [...found].map(([, flag, choices, actions, optional, required, word]): Parameter => {
    if (flag && choices) return { kind: 'choice', name: flag, choices: choices.split('|') }
    if (flag) return { kind: 'flag', name: flag }
    if (actions) return { kind: 'action', name: 'action', choices: actions.split('|') }
    if (word) return { kind: 'word', name: word }
    return { kind: 'value', name: (required ?? optional ?? '').toLowerCase(), required: required !== undefined }
  })
}

function optionOf(parameter: Parameter): APIApplicationCommandBasicOption {
  const { name } = parameter
  const description = sentence(name.replaceAll('-', ' '))
  switch (parameter.kind) {
    case 'flag':
      return { type: ApplicationCommandOptionType.Boolean, name, description, required: false }
    case 'word':
      return { type: ApplicationCommandOptionType.Boolean, name, description: 'Yes, I mean it', required: false }
    case 'choice':
    case 'action': {
      const choices = parameter.choices.map((value) => ({ name: value, value }))
      const required = parameter.kind === 'action'
      return { type: ApplicationCommandOptionType.String, name, description, required, choices }
    }
    case 'value': {
      const { required } = parameter
      const autocomplete = name === 'version' || name === 'profile'
      return {
        type: ApplicationCommandOptionType.String,
        name,
        description,
        required,
        ...(autocomplete ? { autocomplete } : {}),
      }
    }
  }
}

/**
 * What a person would have typed.
 *
 * @param value what was chosen for an option; undefined when it was left out.
 */
export function commandText(command: CommandInfo, value: (name: string) => string | boolean | undefined): string {
  const words = parametersOf(command.usage).flatMap((parameter) => {
    const given = value(parameter.name)
    if (given === undefined || given === false) return []
    if (parameter.kind === 'flag') return [`--${parameter.name}`]
    if (parameter.kind === 'word') return [parameter.name]
    // A value is one word: it can't become a flag or a second argument.
    const word = String(given).trim().split(/\s+/)[0] ?? ''
    return parameter.kind === 'choice' ? [`--${parameter.name}`, word] : [word.replace(/^-+/, '')]
  })
  return [command.name, ...words].join(' ')
}
