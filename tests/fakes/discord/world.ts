/** What Discord knows: people, guilds, channels, messages, in the shapes of its API. */
export interface ApiUser {
  readonly id: string
  readonly username: string
  readonly global_name: string
  readonly discriminator: '0'
  readonly avatar: null
  readonly bot?: true
}
export interface ApiMessage {
  readonly id: string
  readonly channel_id: string
  readonly author: ApiUser
  readonly timestamp: string
  readonly type: number
  readonly mentions: readonly ApiUser[]
  readonly message_reference?: { readonly message_id: string; readonly channel_id: string }
  readonly referenced_message?: ApiMessage
  readonly interaction_metadata?: {
    readonly id: string
    readonly type: number
    readonly user: ApiUser
    readonly authorizing_integration_owners: object
  }
  readonly nonce?: string
  content: string
  components: readonly unknown[]
  embeds: readonly unknown[]
  attachments: readonly { readonly filename: string; readonly bytes: Buffer }[]
  flags: number
  edits: number
  readonly poll?: unknown
}
export interface Channel {
  readonly id: string
  readonly name: string
  readonly guild?: Guild
  /** The other person of a direct message. */
  readonly recipient?: ApiUser
  /** The channel a thread belongs to. */
  readonly parent?: Channel
  readonly messages: ApiMessage[]
  /** What the bot may not do here. */
  readonly denied: Set<Denial>
}
export interface Guild {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly channels: Channel[]
  /** What the bot may do in no channel of it. */
  readonly denied: Set<Denial>
}
export type Denial = keyof typeof rights

const epoch = 1_420_070_400_000n
const rights = {
  view: 1n << 10n,
  send: 1n << 11n,
  embed: 1n << 14n,
  attach: 1n << 15n,
  history: 1n << 16n,
  threads: 1n << 35n,
  inThreads: 1n << 38n,
}
/** Everything but Administrator. */
const everyone = (1n << 53n) - 1n - (1n << 3n)

export type World = ReturnType<typeof createWorld>

/** An empty Discord with one bot user. Ids are snowflakes: they grow, and tell the time. */
export function createWorld() {
  let last = 0n
  const snowflake = (): string => {
    const now = (BigInt(Date.now()) - epoch) << 22n
    last = now > last ? now : last + 1n
    return String(last)
  }
  const users = new Map<string, ApiUser>()
  const user = (username: string, bot?: true): ApiUser => {
    const named = { username, global_name: username, discriminator: '0', avatar: null } as const
    const made = { id: snowflake(), ...named, ...(bot ? { bot } : {}) }
    users.set(made.id, made)
    return made
  }
  const bot = user('hazel', true)
  const guilds: Guild[] = []
  const channels = new Map<string, Channel>()
  const addChannel = (name: string, more: Partial<Channel>): Channel => {
    const channel = { id: snowflake(), name, messages: [], denied: new Set<Denial>(), ...more }
    channels.set(channel.id, channel)
    return channel
  }
  return {
    bot,
    guilds,
    channels,
    users,
    snowflake,
    user,
    guild(name: string, id = snowflake()): Guild {
      const guild = { id, name, owner: snowflake(), channels: [], denied: new Set<Denial>() }
      guilds.push(guild)
      return guild
    },
    channel(guild: Guild, name: string): Channel {
      const channel = addChannel(name, { guild })
      guild.channels.push(channel)
      return channel
    },
    direct: (recipient: ApiUser): Channel =>
      [...channels.values()].find((known) => known.recipient?.id === recipient.id) ??
      addChannel(recipient.username, { recipient }),
    thread: (parent: Channel, id: string, name: string): Channel =>
      addChannel(name, { id, parent, ...(parent.guild ? { guild: parent.guild } : {}) }),
  }
}

/** A message as its receiver gets it: without the message content intent only what concerns the bot has a text. */
export function messageFor(world: World, message: ApiMessage, contentIntent: boolean) {
  const channel = world.channels.get(message.channel_id)
  const { edits: _, attachments, ...visible } = message
  const mine = message.author.id === world.bot.id || message.mentions.some(({ id }) => id === world.bot.id)
  const readable = contentIntent || mine || !channel?.guild
  return {
    ...visible,
    ...(readable ? {} : { content: '', components: [], embeds: [] }),
    ...(channel?.guild ? { guild_id: channel.guild.id } : {}),
    channel_type: channel && channelPayload(channel).type,
    attachments: attachments.map(({ filename }, id) => ({ id: String(id), filename, size: 1, url: '', proxy_url: '' })),
    mention_roles: [],
    mention_everyone: false,
    pinned: false,
    tts: false,
    edited_timestamp: null,
  }
}

/** A channel as the API shows it. */
export function channelPayload(channel: Channel) {
  const { id, name, guild, recipient, parent, messages, denied } = channel
  const last_message_id = messages.at(-1)?.id ?? null
  if (recipient) return { id, type: 1, recipients: [recipient], last_message_id }
  if (parent) {
    const thread_metadata = { archived: false, auto_archive_duration: 1440, locked: false, archive_timestamp: null }
    return { id, type: 11, name, guild_id: guild?.id, parent_id: parent.id, last_message_id, thread_metadata }
  }
  const deny = bitsOf(denied)
  const permission_overwrites = deny > 0n ? [{ id: guild?.id, type: 0, allow: '0', deny: String(deny) }] : []
  return { id, type: 0, name, guild_id: guild?.id, position: 0, permission_overwrites, last_message_id }
}

/** What the bot may do in a server, before what its channels say. */
export function rightsIn({ denied }: Guild): bigint {
  return everyone & ~bitsOf(denied)
}

const bitsOf = (denied: ReadonlySet<Denial>) => [...denied].reduce((sum, right) => sum | rights[right], 0n)

/** What GUILD_CREATE says. */
export function guildPayload(world: World, guild: Guild) {
  const threads = [...world.channels.values()].filter((channel) => channel.parent && channel.guild === guild)
  const role = {
    id: guild.id,
    name: '@everyone',
    permissions: String(rightsIn(guild)),
    position: 0,
    color: 0,
    flags: 0,
  }
  return {
    id: guild.id,
    name: guild.name,
    owner_id: guild.owner,
    roles: [role],
    channels: guild.channels.map(channelPayload),
    threads: threads.map(channelPayload),
    members: [{ user: world.bot, roles: [], joined_at: new Date(0).toISOString(), flags: 0 }],
    member_count: 2,
    emojis: [],
    stickers: [],
    features: [],
    unavailable: false,
  }
}
