/** What the bot needs in a server, and nothing more; Discord's permission bits. */
const least = {
  ViewChannel: 1n << 10n,
  SendMessages: 1n << 11n,
  EmbedLinks: 1n << 14n,
  AttachFiles: 1n << 15n,
  ReadMessageHistory: 1n << 16n,
  SendMessagesInThreads: 1n << 38n,
} as const
const forThreads = { CreatePublicThreads: 1n << 35n } as const

/** What a bot with these settings asks a server for. */
export function invitation(application: string, { threads = false } = {}) {
  const wanted = { ...least, ...(threads ? forThreads : {}) }
  const query = new URLSearchParams({
    client_id: application,
    scope: 'bot applications.commands',
    permissions: String(Object.values(wanted).reduce((sum, bit) => sum | bit, 0n)),
  })
  return { invite: `https://discord.com/oauth2/authorize?${query}`, permissions: Object.keys(wanted) }
}

/**
 * The application that a token belongs to: the first part of a token is its id.
 *
 * @returns undefined for what is no bot token.
 */
export function applicationOf(token: string): string | undefined {
  const id = Buffer.from(token.split('.')[0] ?? '', 'base64').toString()
  return /^\d{17,20}$/.test(id) ? id : undefined
}
