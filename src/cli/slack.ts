import type { App, SocketModeReceiver } from '@slack/bolt'
import {
  botScopes,
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
import type { AppManifest, Finding, OpenChannel, ServedChannel } from './served.ts'
import { fileReader } from './slack-files.ts'

type Bolt = Pick<typeof import('@slack/bolt'), 'App' | 'SocketModeReceiver' | 'LogLevel' | 'webApi'>

const wanted = ({ slack: { admins, reactions, signingSecret, appToken, url, command } }: Config) => ({
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
export const openSlack: OpenChannel = async (bot, config, log, knowledge) => {
  const { botToken, appToken, signingSecret, command, admins, reactions } = config.slack
  if (!botToken && !appToken && !signingSecret) return undefined
  if (!botToken) throw new HoneError('CONFIG', 'Slack is configured by half: SLACK_BOT_TOKEN is missing.')
  if (!appToken && !signingSecret)
    throw new HoneError('CONFIG', 'Slack is configured by half: set SLACK_APP_TOKEN, or SLACK_SIGNING_SECRET for HTTP.')
  const bolt = await sdk()
  const client = new bolt.webApi.WebClient(botToken, clientOptions(config, bolt, log))
  const me = await whoAmI(client)
  const admission = { teams: me.team ? [me.team] : [] }
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
  const channel = slack(app, bot, { command, admins, reactions, log, read: fileReader(knowledge) })
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

async function sdk(): Promise<Bolt> {
  try {
    return await import('@slack/bolt')
  } catch (error) {
    throw new HoneError('ENGINE_MISSING', 'Slack needs the package @slack/bolt: npm install @slack/bolt', {
      cause: error,
    })
  }
}

/** Limits are kept by Hone's own pacing; a call that is limited all the same comes back at once. */
function clientOptions({ slack: { api } }: Config, bolt: Bolt, log: Logger, retries = 3) {
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
  readonly user: string
  readonly botId: string
}

async function whoAmI(client: Client): Promise<Me> {
  try {
    const {
      team_id: team,
      is_enterprise_install: everywhere,
      user_id: user = '',
      bot_id: botId = '',
    } = await client.auth.test()
    return { user, botId, ...(team && !everywhere ? { team } : {}) }
  } catch (error) {
    const refused = (error as { data?: { error?: string } }).data?.error
    if (refused) throw new HoneError('CONFIG', `Slack refuses SLACK_BOT_TOKEN: ${refused}.`, { cause: error })
    throw asHoneError(error, 'NETWORK', 'Slack can’t be reached')
  }
}

/** What `hone doctor` finds about Slack; nothing when it isn't configured. */
export async function slackFindings(config: Config, log: Logger): Promise<readonly Finding[]> {
  const { botToken, appToken, signingSecret } = config.slack
  const finding = (ok: boolean, detail: string): Finding => ({ what: 'Slack', ok, detail })
  if (!botToken && !appToken && !signingSecret) return []
  if (!botToken) return [finding(false, 'SLACK_BOT_TOKEN is missing')]
  if (!appToken && !signingSecret)
    return [finding(false, 'SLACK_APP_TOKEN is missing (or SLACK_SIGNING_SECRET, for HTTP)')]
  try {
    const bolt = await sdk()
    return [
      await tokenFinding(bolt, config, log),
      ...(appToken ? [await socketFinding(bolt, config, log)] : []),
      eventsFinding(config),
      policyFinding(config),
      adminsFinding(config),
    ]
  } catch (error) {
    log.debug('slack.doctor', { error })
    return [finding(false, error instanceof HoneError ? `${error.message} ${error.help}` : String(error))]
  }
}

async function tokenFinding(bolt: Bolt, config: Config, log: Logger): Promise<Finding> {
  const client = new bolt.webApi.WebClient(config.slack.botToken, clientOptions(config, bolt, log, 0))
  try {
    const { team, user, response_metadata: told } = await client.auth.test()
    const missing = botScopes(wanted(config)).filter((scope) => !told?.scopes?.includes(scope))
    if (missing.length === 0) return { what: 'Slack', ok: true, detail: `@${user} in ${team}, every scope granted` }
    const lines = missing.map((scope) => `\n    oauth_config.scopes.bot: ${scope}`).join('')
    return {
      what: 'Slack',
      ok: false,
      detail: `@${user} in ${team} lacks these lines of the manifest; add them and install the app again:${lines}`,
    }
  } catch (error) {
    return { what: 'Slack', ok: false, detail: `Slack refuses SLACK_BOT_TOKEN: ${reason(error)}` }
  }
}

async function socketFinding(bolt: Bolt, config: Config, log: Logger): Promise<Finding> {
  const client = new bolt.webApi.WebClient(config.slack.appToken, clientOptions(config, bolt, log, 0))
  try {
    await client.apps.connections.open({})
    return { what: 'Slack Socket Mode', ok: true, detail: 'a connection can be opened' }
  } catch (error) {
    const detail = `${reason(error)}; the manifest needs settings.socket_mode_enabled: true, the token connections:write`
    return { what: 'Slack Socket Mode', ok: false, detail }
  }
}

/** A bot token can't read which events are subscribed: the log tells when one never comes. */
function eventsFinding(config: Config): Finding {
  const { bot_events: events } = slackManifest(wanted(config)).settings.event_subscriptions
  return {
    what: 'Slack events',
    ok: true,
    detail: `compare on the app's page, Slack tells no bot: ${events.join(', ')}`,
  }
}

function policyFinding({ trainOn }: Config): Finding {
  const detail = trainOn.includes('slack')
    ? 'votes from Slack may be trained on: HONE_TRAIN_ON names slack'
    : 'nothing from Slack is trained on. Read Slack’s API terms, then name slack in HONE_TRAIN_ON to change that'
  return { what: 'Slack policy', ok: true, detail }
}

function adminsFinding({ slack: { admins } }: Config): Finding {
  const detail =
    admins.join(', ') || 'nobody: HONE_SLACK_ADMINS is empty, so retraining is left to the page and the terminal'
  return { what: 'Slack admins', ok: true, detail }
}

function reason(error: unknown): string {
  return (
    (error as { data?: { error?: string } }).data?.error ?? (error instanceof Error ? error.message : String(error))
  )
}
