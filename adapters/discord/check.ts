import { ApplicationFlagsBitField, REST, Routes } from 'discord.js'
import { troubleOf } from './trouble.ts'

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
