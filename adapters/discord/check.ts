import { ApplicationFlagsBitField, REST, Routes } from 'discord.js'
import { rightsOf } from './invite.ts'
import { administrator, missingRights } from './rights.ts'
import { troubleOf } from './trouble.ts'

export interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}

interface Check {
  readonly token: string
  readonly listen: readonly string[]
  /** Questions get threads of their own: that takes one right more. */
  readonly threads?: boolean
  readonly api?: string
}

interface Application {
  readonly id: string
  readonly name: string
  readonly flags?: number
  readonly bot?: { readonly id: string }
}

interface Server {
  readonly name: string
  /** What the bot may do there, before what single channels say. */
  readonly permissions: string
}

/** Asks Discord whether the token works, the intent is granted, and the bot may do its work in its servers and channels. */
export async function findings({ token, listen, threads = false, api }: Check): Promise<readonly Finding[]> {
  const rest = new REST({ retries: 0, timeout: 5000, ...(api ? { api } : {}) }).setToken(token)
  try {
    const application = (await rest.get(Routes.currentApplication())) as Application
    const { id, name, flags = 0, bot } = application
    const who = { me: bot?.id ?? id, threads }
    const granted = new ApplicationFlagsBitField(flags).any(['GatewayMessageContent', 'GatewayMessageContentLimited'])
    const found: Finding[] = [{ what: 'Discord', ok: true, detail: `signed in as ${name}` }]
    found.push(serversFinding((await rest.get(Routes.userGuilds())) as readonly Server[], { threads }))
    if (listen.length > 0) found.push(contentFinding(granted))
    return [...found, ...(await Promise.all(listen.map((channel) => channelFinding(rest, channel, who))))]
  } catch (error) {
    const refused = troubleOf(error) !== 'passing'
    const detail = refused ? 'the token is not taken; copy it anew from the page Bot' : 'discord.com can’t be reached'
    return [{ what: 'Discord', ok: false, detail }]
  }
}

function serversFinding(servers: readonly Server[], wishes: { readonly threads: boolean }): Finding {
  const what = 'Discord servers'
  if (servers.length === 0)
    return { what, ok: false, detail: 'the bot is in none: open the link of `hone manifest discord`' }
  const lacking = servers.flatMap(({ name, permissions }) => {
    const missing = rightsOf(wishes).filter(({ bit }) => !(BigInt(permissions) & (bit | administrator)))
    return missing.length > 0 ? [`${missing.map((right) => right.name).join(', ')} in ${name}`] : []
  })
  if (lacking.length === 0)
    return { what, ok: true, detail: `the bot is in ${servers.length}, and may do all it needs` }
  const detail = `the bot lacks ${lacking.slice(0, 5).join('; ')}: open the link of \`hone manifest discord\` again`
  return { what, ok: false, detail }
}

function contentFinding(granted: boolean): Finding {
  const detail = granted ? 'granted' : 'switched off; HONE_DISCORD_CHANNELS needs it: switch it on on the page Bot'
  return { what: 'Discord message content intent', ok: granted, detail }
}

async function channelFinding(
  rest: REST,
  channel: string,
  who: { readonly me: string; readonly threads: boolean },
): Promise<Finding> {
  const what = `Discord channel ${channel}`
  try {
    const missing = await missingRights(rest, channel, who)
    if (missing.length === 0) return { what, ok: true, detail: 'the bot may do all it needs' }
    const names = missing.map(({ name }) => name).join(', ')
    return { what, ok: false, detail: `the bot lacks ${names}: allow it in the channel’s settings, page Permissions` }
  } catch (error) {
    const detail = troubleOf(error) === 'closed' ? 'the bot can’t see it: add it to the channel' : 'could not be read'
    return { what, ok: false, detail }
  }
}
