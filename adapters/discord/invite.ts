import { ApplicationFlagsBitField, PermissionsBitField, REST, Routes } from 'discord.js'
import { troubleOf } from './trouble.ts'

/** What the bot needs in a server, and nothing more. */
const least = ['ViewChannel', 'SendMessages', 'SendMessagesInThreads', 'ReadMessageHistory', 'AttachFiles'] as const

/**
 * The link that adds the bot to a server with the least permissions.
 *
 * @param threads it opens a thread for each question.
 */
export function inviteLink(application: string, { threads = false } = {}): string {
  const permissions = PermissionsBitField.resolve([...least, ...(threads ? (['CreatePublicThreads'] as const) : [])])
  const query = new URLSearchParams({
    client_id: application,
    scope: 'bot applications.commands',
    permissions: String(permissions),
  })
  return `https://discord.com/oauth2/authorize?${query}`
}

/**
 * The application a token belongs to: the first part of a token is its id.
 *
 * @returns undefined for what is no bot token.
 */
export function applicationOf(token: string): string | undefined {
  const id = Buffer.from(token.split('.')[0] ?? '', 'base64').toString()
  return /^\d{17,20}$/.test(id) ? id : undefined
}

export interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}

interface Check {
  readonly token: string
  readonly listen: readonly string[]
  readonly api?: string
}

/** Asks Discord whether the token works, the intent is granted, and the channels can be seen. */
export async function findings({ token, listen, api }: Check): Promise<readonly Finding[]> {
  const rest = new REST({ retries: 0, timeout: 5000, ...(api ? { api } : {}) }).setToken(token)
  try {
    const { name, flags = 0 } = (await rest.get(Routes.currentApplication())) as { name: string; flags?: number }
    const granted = new ApplicationFlagsBitField(flags).any(['GatewayMessageContent', 'GatewayMessageContentLimited'])
    const found: Finding[] = [{ what: 'Discord', ok: true, detail: `signed in as ${name}` }]
    if (listen.length > 0) found.push(contentFinding(granted))
    return [...found, ...(await Promise.all(listen.map((channel) => channelFinding(rest, channel))))]
  } catch (error) {
    const refused = troubleOf(error) !== 'passing'
    const detail = refused ? 'the token is not taken; copy it anew from the page Bot' : 'discord.com can’t be reached'
    return [{ what: 'Discord', ok: false, detail }]
  }
}

function contentFinding(granted: boolean): Finding {
  const detail = granted ? 'granted' : 'switched off; HONE_DISCORD_CHANNELS needs it: switch it on on the page Bot'
  return { what: 'Discord message content intent', ok: granted, detail }
}

async function channelFinding(rest: REST, channel: string): Promise<Finding> {
  const what = `Discord channel ${channel}`
  try {
    await rest.get(Routes.channel(channel))
    return { what, ok: true, detail: 'can be seen' }
  } catch (error) {
    const detail = troubleOf(error) === 'closed' ? 'the bot can’t see it: add it to the channel' : 'could not be read'
    return { what, ok: false, detail }
  }
}
