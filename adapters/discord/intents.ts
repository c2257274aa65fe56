import { type ClientOptions, GatewayIntentBits, type IntentsBitField, Partials } from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import { type BreakerOptions, gatewayOptions } from './gateway.ts'

export interface Wishes {
  readonly listen?: readonly string[]
  readonly reactions?: boolean
}
type Intent = keyof typeof GatewayIntentBits

/** Each intent that is needed, and what doesn't work without it. */
function needed({ listen = [], reactions = false }: Wishes): readonly (readonly [Intent, string, 'must' | 'may'])[] {
  return [
    ['Guilds', 'the bot sees no servers and no channels', 'must'],
    ['GuildMessages', 'mentions and replies in servers are not heard', 'may'],
    ['DirectMessages', 'direct messages are not heard', 'may'],
    ...(listen.length > 0
      ? ([
          [
            'MessageContent',
            'the text of messages that do not mention the bot is empty; it is privileged: switch it on at https://discord.com/developers/applications, page Bot',
            'must',
          ],
        ] as const)
      : []),
    ...(reactions
      ? ([
          ['GuildMessageReactions', 'reactions in servers are not counted', 'must'],
          ['DirectMessageReactions', 'reactions in direct messages are not counted', 'may'],
        ] as const)
      : []),
  ]
}

function neededPartials({ reactions }: Wishes): readonly Partials[] {
  return [Partials.Channel, ...(reactions ? [Partials.Message, Partials.Reaction, Partials.User] : [])]
}

/**
 * What a client of one's own needs, nothing more.
 *
 * @example new Client(clientOptions({ listen: [] }, { log }))
 */
export function clientOptions(wishes: Wishes, breaker: BreakerOptions): ClientOptions {
  return {
    intents: needed(wishes).map(([intent]) => GatewayIntentBits[intent]),
    partials: [...neededPartials(wishes)],
    ws: gatewayOptions(breaker),
  }
}

/**
 * Compares what the host's client asks Discord for with what is needed.
 *
 * @returns in words what will not work.
 * @throws HoneError CONFIG when something that was asked for can't work at all.
 */
export function checkIntents(
  intents: IntentsBitField,
  partials: readonly Partials[],
  wishes: Wishes,
): readonly string[] {
  const missing = needed(wishes).filter(([intent]) => !intents.has(GatewayIntentBits[intent]))
  const explained = missing.map(([intent, lost]) => `Without the intent ${intent}, ${lost}.`)
  if (missing.some(([, , weight]) => weight === 'must')) {
    throw new HoneError('CONFIG', `The Discord client lacks an intent. ${explained.join(' ')} Add it to \`intents\`.`)
  }
  const blind = neededPartials(wishes).filter((partial) => !partials.includes(partial))
  return [
    ...explained,
    ...blind.map((partial) => `Without Partials.${Partials[partial]}, discord.js drops ${dropped[partial]}.`),
  ]
}

const dropped: Readonly<Record<number, string>> = {
  [Partials.Channel]: 'direct messages',
  [Partials.Message]: 'reactions to older messages',
  [Partials.Reaction]: 'reactions to older messages',
  [Partials.User]: 'reactions of people it has not seen',
}
