import { randomUUID } from 'node:crypto'
import { botScopes, signatureOf, slackManifest } from '../../adapters/slack/index.ts'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Finding } from './served.ts'
import { type Bolt, clientOptions, sdk, wanted } from './slack.ts'

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
      await (appToken ? socketFinding(bolt, config, log) : endpointFinding(config)),
      await manifestFinding(bolt, config, log),
      policyFinding(config),
      adminsFinding(config),
    ]
  } catch (error) {
    log.debug('slack.doctor', { error })
    return [finding(false, error instanceof HoneError ? `${error.message} ${error.help}` : String(error))]
  }
}

async function tokenFinding(bolt: Bolt, config: Config, log: Logger): Promise<Finding> {
  const client = new bolt.webApi.WebClient(config.slack.botToken, clientOptions(config, bolt, log))
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
  const client = new bolt.webApi.WebClient(config.slack.appToken, clientOptions(config, bolt, log))
  try {
    await client.apps.connections.open({})
    return { what: 'Slack Socket Mode', ok: true, detail: 'a connection can be opened' }
  } catch (error) {
    const detail = `${reason(error)}; the manifest needs settings.socket_mode_enabled: true, the token connections:write`
    return { what: 'Slack Socket Mode', ok: false, detail }
  }
}

const checkMs = 5000

/** Asks the public address what Slack asks it, signed: only a Hone with the same secret gives the right answer. */
async function endpointFinding({ slack: { url, signingSecret: secret } }: Config): Promise<Finding> {
  const what = 'Slack endpoint'
  if (!url)
    return {
      what,
      ok: true,
      detail: '/slack/events on HONE_PORT; set HONE_SLACK_URL to have its public address checked',
    }
  const challenge = randomUUID()
  const body = JSON.stringify({ type: 'url_verification', challenge })
  const signed = signatureOf(body, { secret, at: Math.floor(Date.now() / 1000) })
  const headers = { ...signed, 'content-type': 'application/json' }
  try {
    const answer = await fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(checkMs) })
    const said = await answer.text()
    if (said.includes(challenge)) return { what, ok: true, detail: `${url} is this bot, with the same signing secret` }
    const why = answer.status === 401 ? `: ${said.slice(0, 100)}` : '; is `hone serve` behind it?'
    return { what, ok: false, detail: `${url} answers ${answer.status}${why}` }
  } catch {
    return { what, ok: false, detail: `${url} was not reached` }
  }
}

/**
 * The app's manifest beside the one that these settings need, which also says whether every event is subscribed. No
 * other token can read it.
 */
async function manifestFinding(bolt: Bolt, config: Config, log: Logger): Promise<Finding> {
  const what = 'Slack manifest'
  const { configToken: token, appToken, appId = '' } = config.slack
  const needed = neededOf(slackManifest(wanted(config)))
  if (!token) {
    const events = needed.settings.event_subscriptions.bot_events.join(', ')
    const detail = `not compared: set SLACK_CONFIG_TOKEN (api.slack.com/apps → Your App Configuration Tokens). Its events must be ${events}`
    return { what, ok: true, detail }
  }
  const app = appId || /^xapp-\d+-(A\w+)-/.exec(appToken)?.[1]
  if (!app) return { what, ok: false, detail: 'SLACK_APP_ID is missing: the A… under Basic Information' }
  const client = new bolt.webApi.WebClient(token, clientOptions(config, bolt, log))
  try {
    const { manifest } = await client.apps.manifest.export({ app_id: app })
    const missing = lacking(needed, manifest)
    if (missing.length === 0) return { what, ok: true, detail: `${app} has every event, scope and command` }
    const lines = missing.map((line) => `\n    ${line}`).join('')
    return { what, ok: false, detail: `${app} lacks these lines; paste what \`hone manifest slack\` prints:${lines}` }
  } catch (error) {
    return { what, ok: false, detail: `Slack refuses SLACK_CONFIG_TOKEN: ${reason(error)}` }
  }
}

/** What of a manifest Hone does not work without; names and descriptions are the operator's. */
function neededOf({ features, oauth_config, settings }: ReturnType<typeof slackManifest>) {
  const { event_subscriptions, interactivity, socket_mode_enabled } = settings
  return {
    features: {
      app_home: features.app_home,
      shortcuts: features.shortcuts.map(({ type, callback_id }) => ({ type, callback_id })),
      slash_commands: features.slash_commands.map(({ command, ...rest }) => ({
        command,
        ...('url' in rest ? { url: rest.url } : {}),
      })),
    },
    oauth_config,
    settings: { event_subscriptions, interactivity, socket_mode_enabled },
  }
}

/** The lines of a manifest that another one lacks. What is absent there is off. */
function lacking(needed: unknown, actual: unknown, path = ''): readonly string[] {
  if (Array.isArray(needed)) {
    const there: readonly unknown[] = Array.isArray(actual) ? actual : []
    return needed
      .filter((one) => !there.some((other) => lacking(one, other).length === 0))
      .map((one) => `${path}: ${typeof one === 'string' ? one : JSON.stringify(one)}`)
  }
  if (typeof needed !== 'object' || needed === null)
    return (actual ?? false) === needed ? [] : [`${path}: ${String(needed)}`]
  const inner = (actual ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(needed).flatMap(([name, one]) => lacking(one, inner[name], path ? `${path}.${name}` : name))
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
