import { type REST, Routes } from 'discord.js'
import { type Right, rightsOf } from './invite.ts'

/** What a channel, or somebody in it, adds to the rights of a server and takes from them. */
interface Overwrite {
  readonly id: string
  readonly allow: string
  readonly deny: string
}
interface Channel {
  readonly guild_id?: string
  /** Of a thread: the channel it belongs to, whose rights it has. */
  readonly parent_id?: string | null
  readonly thread_metadata?: object
  readonly permission_overwrites?: readonly Overwrite[]
}
interface Guild {
  readonly id: string
  readonly roles: readonly { readonly id: string; readonly permissions: string }[]
}

/** Who has this right has every other. */
export const administrator = 1n << 3n

/**
 * What a member may do in a channel, as Discord works it out: the server's roles, then what the channel says of
 * everybody, of the roles, of the member.
 *
 * @returns permission bits.
 * @see https://discord.com/developers/docs/topics/permissions#permission-overwrites
 */
export function permissionsIn(
  { permission_overwrites: overwrites = [] }: Channel,
  guild: Guild,
  member: { readonly id: string; readonly roles: readonly string[] },
): bigint {
  const own = guild.roles.filter(({ id }) => id === guild.id || member.roles.includes(id))
  const base = own.reduce((sum, { permissions }) => sum | BigInt(permissions), 0n)
  if (base & administrator) return ~0n
  const levels = [
    overwrites.filter(({ id }) => id === guild.id),
    overwrites.filter(({ id }) => member.roles.includes(id)),
    overwrites.filter(({ id }) => id === member.id),
  ]
  return levels.reduce((rights, level) => {
    const deny = level.reduce((sum, { deny: bits }) => sum | BigInt(bits), 0n)
    const allow = level.reduce((sum, { allow: bits }) => sum | BigInt(bits), 0n)
    return (rights & ~deny) | allow
  }, base)
}

/**
 * The rights that the bot needs in a channel and does not have.
 *
 * @param me the bot's own user id.
 * @throws DiscordAPIError when the channel or its server can't be read.
 */
export async function missingRights(
  rest: REST,
  channel: string,
  { me, threads }: { readonly me: string; readonly threads: boolean },
): Promise<readonly Right[]> {
  const asked = (await rest.get(Routes.channel(channel))) as Channel
  if (!asked.guild_id) return []
  const place = asked.thread_metadata && asked.parent_id ? await rest.get(Routes.channel(asked.parent_id)) : asked
  const guild = (await rest.get(Routes.guild(asked.guild_id))) as Guild
  const { roles } = (await rest.get(Routes.guildMember(asked.guild_id, me))) as { readonly roles: readonly string[] }
  const have = permissionsIn(place as Channel, guild, { id: me, roles })
  return rightsOf({ threads }).filter(({ bit }) => !(have & bit))
}
