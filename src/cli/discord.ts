import { join } from 'node:path'
import { applicationOf, invitation } from '../../adapters/discord/invite.ts'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import type { AppManifest, Finding, ServedChannel } from './served.ts'

/** The invite link of the bot that these settings describe. */
export function manifest({ discord: { token, threads, channels } }: Config): AppManifest {
  const application = applicationOf(token)
  if (!application) {
    throw new HoneError(
      'CONFIG',
      'DISCORD_TOKEN is not set. Make an application at https://discord.com/developers/applications, and copy the token from its page Bot.',
    )
  }
  const made = invitation(application, { threads })
  const intent = channels.length > 0 ? ' Switch the message content intent on at the page Bot.' : ''
  return { manifest: made, next: `Add the bot to your server: ${made.invite}${intent}` }
}

/**
 * The Discord bot of `hone serve`, with as many shards as Discord recommends.
 *
 * @throws HoneError CONFIG when Discord refuses the token or an intent; ENGINE_MISSING without the package discord.js.
 */
export async function openDiscord(bot: Bot, config: Config, log: Logger): Promise<ServedChannel | undefined> {
  const { token, channels: listen, threads, reactions, admins, api } = config.discord
  if (!token) return undefined
  const { sdk, adapter } = await load()
  const wishes = { listen, reactions }
  const client = new sdk.Client({ ...adapter.clientOptions(wishes, { log }), shards: 'auto', rest: { api } })
  const markFile = join(config.dataDir, 'discord-seen.json')
  const handle = adapter.discord(client, bot, { ...wishes, threads, admins, markFile, log })
  const close = async (): Promise<void> => {
    handle.detach()
    await client.destroy()
    // Destroying takes the token away, and replies that are on their way still need it.
    client.rest.setToken(token)
  }
  try {
    await client.login(token)
  } catch (error) {
    await close()
    throw refusal(error)
  }
  return { name: 'discord', [Symbol.asyncDispose]: close }
}

function refusal(error: unknown): HoneError {
  const reason = error instanceof Error ? error.message : String(error)
  if (/disallowed intents/i.test(reason)) {
    const text =
      'Discord refuses the message content intent: switch it on at the page Bot, or clear HONE_DISCORD_CHANNELS.'
    return new HoneError('CONFIG', text, { cause: error })
  }
  // A proxy's page in HTML is an "unexpected token" as well.
  const unknown = error instanceof Error && 'code' in error && error.code === 'TokenInvalid'
  if (unknown) return new HoneError('CONFIG', 'Discord does not take DISCORD_TOKEN. Copy it anew.', { cause: error })
  return new HoneError('NETWORK', `Discord can't be reached: ${reason}`, { cause: error })
}

/** `hone doctor`: token, intent and channels; nothing when Discord isn't configured. */
export async function discordFindings({ discord, trainOn }: Config, log: Logger): Promise<readonly Finding[]> {
  const { token, channels, threads, api } = discord
  if (!token) return []
  try {
    const { adapter } = await load()
    const policy = trainOn.includes('discord') ? 'votes are trained on' : 'votes are kept and not trained on'
    return [
      ...(await adapter.findings({ token, listen: channels, threads, api })),
      { what: 'Discord training policy', ok: true, detail: policy },
    ]
  } catch (error) {
    log.debug('doctor.discord', { error })
    return [{ what: 'Discord', ok: false, detail: error instanceof HoneError ? error.message : String(error) }]
  }
}

async function load() {
  try {
    return { sdk: await import('discord.js'), adapter: await import('../../adapters/discord/index.ts') }
  } catch (error) {
    const text = 'Discord needs the package discord.js: npm install discord.js'
    throw new HoneError('ENGINE_MISSING', text, { cause: error })
  }
}
