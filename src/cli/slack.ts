import type { App, SocketModeReceiver } from '@slack/bolt'
import {
  type Client,
  durable,
  type HttpReceiver,
  manifestLink,
  slack,
  slackHttp,
  slackManifest,
} from '../../adapters/slack/index.ts'
import type { Config } from '../config.ts'
import { asHoneError, HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { AppManifest, OpenChannel, ServedChannel } from './served.ts'
import { fileReader } from './slack-files.ts'

export type Bolt = Pick<typeof import('@slack/bolt'), 'App' | 'SocketModeReceiver' | 'LogLevel' | 'webApi'>

/** What the app must be allowed and told for these settings. */
export const wanted = ({ slack: { admins, reactions, signingSecret, appToken, url, command } }: Config) => ({
  command,
  reactions,
  files: admins.length > 0,
  userGroups: admins.some((id) => id.startsWith('S')),
  ...(signingSecret && !appToken && url ? { url } : {}),
})

/** The manifest of the Slack app that these settings need, and the link that makes it. */
export function manifest(config: Config): AppManifest {
  const made = slackManifest(wanted(config))
  return { manifest: made, next: `Make the app from it: ${manifestLink(made)}` }
}

/**
 * The Slack app of `hone serve`: Socket Mode with an app token, else events over HTTP at `/slack/events`.
 *
 * @throws HoneError CONFIG when it is configured by half or Slack refuses the token; NETWORK when Slack can't be reached.
 */
export const openSlack: OpenChannel = async (bot, config, log, parts) => {
  const { botToken, appToken, signingSecret, command, admins, partners, reactions } = config.slack
  if (!botToken && !appToken && !signingSecret) return undefined
  if (!botToken) throw new HoneError('CONFIG', 'Slack is configured by half: SLACK_BOT_TOKEN is missing.')
  if (!appToken && !signingSecret)
    throw new HoneError('CONFIG', 'Slack is configured by half: set SLACK_APP_TOKEN, or SLACK_SIGNING_SECRET for HTTP.')
  const bolt = await sdk()
  const client = new bolt.webApi.WebClient(botToken, clientOptions(config, bolt, log, 3))
  const me = await whoAmI(client)
  const admission = { teams: me.team ? [me.team] : [], enterprises: me.enterprise ? [me.enterprise] : [] }
  const http = appToken ? undefined : slackHttp({ signingSecret, log, ...admission })
  const receiver = http ?? durable(socketReceiver(bolt, config, log), admission)
  const app = new bolt.App({
    receiver,
    token: botToken,
    botId: me.botId,
    botUserId: me.user,
    tokenVerificationEnabled: false,
    logger: sdkLogger(bolt, log),
    clientOptions: clientOptions(config, bolt, log),
  })
  const { starters: prompts } = (await parts.profiles()).serving
  const read = fileReader(() => parts.knowledge())
  const channel = slack(app, bot, { command, admins, partners, reactions, prompts, log, read })
  await app.start().catch((error: unknown) => {
    throw asHoneError(error, 'CONFIG', 'Slack refuses the connection; look at SLACK_APP_TOKEN')
  })
  return served(app, channel, http)
}

function served(app: App, channel: { detach(): void }, http: HttpReceiver | undefined): ServedChannel {
  return {
    name: http ? 'slack (HTTP at /slack/events)' : 'slack (Socket Mode)',
    ...(http ? { fetch: (request: Request) => http.fetch(request) } : {}),
    async [Symbol.asyncDispose]() {
      await app.stop()
      channel.detach()
    },
  }
}

export async function sdk(): Promise<Bolt> {
  try {
    return await import('@slack/bolt')
  } catch (error) {
    throw new HoneError('ENGINE_MISSING', 'Slack needs the package @slack/bolt: npm install @slack/bolt', {
      cause: error,
    })
  }
}

/**
 * Limits are kept by Hone's own pacing; a call that is limited all the same comes back at once. So does one whose
 * connection broke: the SDK would repeat it, and with it the text that Slack may have heard the first time.
 */
export function clientOptions({ slack: { api } }: Config, bolt: Bolt, log: Logger, retries = 0) {
  return {
    slackApiUrl: api,
    timeout: 20_000,
    rejectRateLimitedCalls: true,
    retryConfig: { retries },
    logger: sdkLogger(bolt, log),
  }
}

function socketReceiver(bolt: Bolt, { slack: { appToken, api } }: Config, log: Logger): SocketModeReceiver {
  return new bolt.SocketModeReceiver({
    appToken,
    logger: sdkLogger(bolt, log),
    installerOptions: { clientOptions: { slackApiUrl: api } },
  })
}

/** What the SDK says, among Hone's own log events; never what people wrote, which it says at debug. */
function sdkLogger(bolt: Bolt, log: Logger) {
  const level = bolt.LogLevel.WARN
  const say =
    (kind: 'warn' | 'error') =>
    (...parts: unknown[]) =>
      log[kind]('slack.sdk', { message: parts.map(String).join(' ') })
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: say('warn'),
    error: say('error'),
    setLevel: () => undefined,
    getLevel: () => level,
    setName: () => undefined,
  }
}

interface Me {
  /** None for an app installed in a whole organisation. */
  readonly team?: string
  /** Of an app installed in a whole organisation. */
  readonly enterprise?: string
  readonly user: string
  readonly botId: string
}

async function whoAmI(client: Client): Promise<Me> {
  try {
    const {
      team_id: team,
      enterprise_id: enterprise,
      is_enterprise_install: everywhere,
      user_id: user = '',
      bot_id: botId = '',
    } = await client.auth.test()
    const where = everywhere ? { ...(enterprise ? { enterprise } : {}) } : { ...(team ? { team } : {}) }
    return { user, botId, ...where }
  } catch (error) {
    const refused = (error as { data?: { error?: string } }).data?.error
    if (refused) throw new HoneError('CONFIG', `Slack refuses SLACK_BOT_TOKEN: ${refused}.`, { cause: error })
    throw asHoneError(error, 'NETWORK', 'Slack can’t be reached')
  }
}
