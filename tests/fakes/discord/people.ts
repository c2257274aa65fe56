import type { Interaction, State } from './state.ts'
import { type ApiMessage, type ApiUser, type Channel, channelPayload, messageFor } from './world.ts'

const manageGuild = String(1n << 5n)

/** What a person does in Discord. */
export function createPerson(state: State, user: ApiUser) {
  const { world } = state
  let rights = '0'

  /** Sends an interaction to the bot and resolves with it once the bot has answered. */
  async function interact(channel: Channel, type: number, data: unknown, source?: ApiMessage): Promise<Interaction> {
    const id = world.snowflake()
    const base = { id, token: `token-of-${id}`, channel: channel.id, user, madeAt: state.now() }
    const interaction: Interaction = { ...base, ...(source ? { source: source.id } : {}) }
    state.interactions.set(interaction.token, interaction)
    const { guild } = channel
    const who = guild
      ? { member: { user, roles: [], permissions: rights, joined_at: new Date(0).toISOString() } }
      : { user }
    const payload = {
      id,
      token: interaction.token,
      application_id: world.bot.id,
      type,
      version: 1,
      channel_id: channel.id,
      channel: channelPayload(channel),
      ...(guild ? { guild_id: guild.id, guild: { id: guild.id, locale: 'en-US', features: [] } } : {}),
      ...who,
      ...(source ? { message: messageFor(world, source, true) } : {}),
      data,
      locale: 'en-US',
      entitlements: [],
      authorizing_integration_owners: {},
      app_permissions: '0',
      attachment_size_limit: 1,
    }
    state.dispatch('INTERACTION_CREATE', payload, guild?.id)
    await until(state, () => interaction.answer !== undefined, `an answer to interaction ${type}`)
    return interaction
  }

  return {
    user,
    /** From now on this person manages the guilds they are in. */
    manages() {
      rights = manageGuild
    },
    /** Writes a message; `mention` the bot, or reply to one of its messages. */
    say(channel: Channel, text: string, how: { mention?: boolean; replyTo?: ApiMessage } = {}): ApiMessage {
      const { mention = false, replyTo } = how
      const message: ApiMessage = {
        id: world.snowflake(),
        channel_id: channel.id,
        author: user,
        timestamp: new Date().toISOString(),
        type: replyTo ? 19 : 0,
        mentions: mention || replyTo ? [world.bot] : [],
        content: mention ? `<@${world.bot.id}> ${text}` : text,
        components: [],
        embeds: [],
        attachments: [],
        flags: 0,
        edits: 0,
        ...(replyTo
          ? { message_reference: { message_id: replyTo.id, channel_id: channel.id }, referenced_message: replyTo }
          : {}),
      }
      channel.messages.push(message)
      state.dispatch('MESSAGE_CREATE', message, channel.guild?.id)
      return message
    },
    press(channel: Channel, message: ApiMessage, id: string) {
      return interact(channel, 3, { custom_id: id, component_type: 2 }, message)
    },
    /** Sends a form: values by the custom id of its fields. */
    submit(channel: Channel, form: string, values: Readonly<Record<string, string>>) {
      const components = Object.entries(values).map(([custom_id, value], id) => ({
        type: 18,
        id,
        component: { type: custom_id === 'reason' ? 21 : 4, id: id + 10, custom_id, value },
      }))
      return interact(channel, 5, { custom_id: form, components })
    },
    command(channel: Channel, name: string, options: readonly unknown[] = []) {
      return interact(channel, 2, { id: '1', name, type: 1, options })
    },
    complete(channel: Channel, name: string, options: readonly unknown[]) {
      return interact(channel, 4, { id: '1', name, type: 1, options })
    },
    /** Picks a command from the menu of a message. */
    menu(channel: Channel, name: string, target: ApiMessage) {
      const resolved = { messages: { [target.id]: messageFor(world, target, true) } }
      return interact(channel, 2, { id: '1', name, type: 3, target_id: target.id, resolved })
    },
    react(channel: Channel, message: ApiMessage, emoji: string, how: 'ADD' | 'REMOVE' = 'ADD') {
      const data = {
        user_id: user.id,
        channel_id: channel.id,
        message_id: message.id,
        emoji: { id: null, name: emoji },
      }
      const guild = channel.guild ? { guild_id: channel.guild.id, member: { user, roles: [] } } : {}
      state.dispatch(`MESSAGE_REACTION_${how}`, { ...data, ...guild, type: 0, burst: false }, channel.guild?.id)
    },
  }
}
export type FakePerson = ReturnType<typeof createPerson>

/** Resolves when the condition holds; it is looked at whenever something happened here, and now and then. */
export function until(state: State, holds: () => boolean, what: string, timeoutMs = 90_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (done: () => void) => {
      clearTimeout(timer)
      clearInterval(often)
      state.offChange(look)
      done()
    }
    const look = () => {
      try {
        if (holds()) end(resolve)
      } catch (error) {
        end(() => reject(error))
      }
    }
    const often = setInterval(look, 20)
    const timer = setTimeout(() => end(() => reject(new Error(`Waited in vain for ${what}.`))), timeoutMs)
    state.onChange(look)
    look()
  })
}
