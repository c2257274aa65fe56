/** A right as Discord's own pages call it, and its bit. */
export interface Right {
  readonly key: string
  readonly name: string
  readonly bit: bigint
}
const right = (key: string, bit: bigint, name = key.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')): Right => ({ key, name, bit })

/** What the bot needs in a server, and nothing more. */
const least = [
  right('ViewChannel', 1n << 10n),
  right('SendMessages', 1n << 11n),
  right('EmbedLinks', 1n << 14n),
  right('AttachFiles', 1n << 15n),
  right('ReadMessageHistory', 1n << 16n),
  right('SendMessagesInThreads', 1n << 38n, 'Send Messages in Threads'),
]
const forThreads = [right('CreatePublicThreads', 1n << 35n)]

/** The rights that a bot with these settings needs. */
export function rightsOf({ threads = false }: { readonly threads?: boolean }): readonly Right[] {
  return [...least, ...(threads ? forThreads : [])]
}

/** What a bot with these settings asks a server for. */
export function invitation(application: string, { threads = false } = {}) {
  const wanted = rightsOf({ threads })
  const query = new URLSearchParams({
    client_id: application,
    scope: 'bot applications.commands',
    permissions: String(wanted.reduce((sum, { bit }) => sum | bit, 0n)),
  })
  return { invite: `https://discord.com/oauth2/authorize?${query}`, permissions: wanted.map(({ key }) => key) }
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
