import { ApplicationCommandOptionType, type ChatInputCommandInteraction, MessageFlags } from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Desk } from './desk.ts'

/** What Discord takes: see https://discord.com/developers/docs/resources/poll */
const longestAnswer = 55
const choices = ['first', 'second', 'third', 'fourth'] as const
const usualHours = 24

/** The subcommand: what people choose between, what they are asked, and for how long. */
export const pollCommand = {
  type: ApplicationCommandOptionType.Subcommand as const,
  name: 'poll',
  description: 'Ask people here which profile they prefer; nothing of it is trained on',
  options: [
    ...choices.map((name, index) => ({
      type: ApplicationCommandOptionType.String as const,
      name,
      description: 'A version of the profile, and words for it if you like: 3f2a Short and dry',
      required: index < 2,
      autocomplete: true as const,
    })),
    {
      type: ApplicationCommandOptionType.String as const,
      name: 'question',
      description: 'What people are asked',
      max_length: 300,
    },
    {
      type: ApplicationCommandOptionType.Integer as const,
      name: 'hours',
      description: `How long it is open; ${usualHours}, if you say nothing`,
      min_value: 1,
      max_value: 768,
    },
  ],
}

/**
 * Asks a channel which version of the profile people prefer. The poll is Discord's own, which counts and ends it; it says
 * which profile to promote, and nothing of it is kept or trained on: nobody was shown two replies to one prompt.
 *
 * @throws HoneError FORBIDDEN for others than admins; INPUT for a version that isn't there, or twice the same.
 */
export async function openPoll(interaction: ChatInputCommandInteraction, { bot, isAdmin }: Desk): Promise<void> {
  const { options, user } = interaction
  if (!isAdmin(user.id)) throw new HoneError('FORBIDDEN', '`poll` is for admins.')
  const given = choices.map((name) => options.getString(name)).filter((text) => text !== null)
  const answers = answersOf(given, await bot.store.profiles.list())
  await interaction.reply({
    poll: {
      question: { text: options.getString('question') ?? 'Which way should I answer?' },
      answers: answers.map((text) => ({ text })),
      duration: options.getInteger('hours') ?? usualHours,
      allowMultiselect: false,
    },
    allowedMentions: { parse: [] },
    flags: MessageFlags.SuppressEmbeds,
  })
}

type Kept = Awaited<ReturnType<Store['profiles']['list']>>

/**
 * The answers of a poll from what an admin wrote: a version, or the beginning of one, and words for it.
 *
 * @example answersOf(['3f2a Short and dry', '77b1'], kept) // ['Short and dry (3f2a9c)', '77b1e0']
 */
export function answersOf(given: readonly string[], kept: Kept): readonly string[] {
  const chosen = given.map((text) => {
    const [start = '', ...words] = text.trim().split(/\s+/)
    const [found, another] = kept.filter(({ version }) => version.startsWith(start))
    if (!found || another) throw new HoneError('INPUT', `There is no one profile \`${start.slice(0, 20)}\`.`)
    return { version: found.version, words: words.join(' ') }
  })
  if (new Set(chosen.map(({ version }) => version)).size < chosen.length)
    throw new HoneError('INPUT', 'The same profile stands there twice.')
  return chosen.map(({ version, words }) => {
    if (!words) return version
    return `${words.slice(0, longestAnswer - version.length - 3)} (${version})`
  })
}
