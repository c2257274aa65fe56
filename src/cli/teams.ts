import { fetchEndpoint, teams } from '../../adapters/teams/index.ts'
import type { Config, TeamsConfig } from '../config.ts'
import { HoneError } from '../errors.ts'
import type { Finding, OpenChannel } from './served.ts'

const loopback = new Set(['127.0.0.1', 'localhost', '::1', '[::1]'])
const path = '/api/messages'
const checkMs = 5000

/** An SDK's adapter, made. */
interface Sdk {
  readonly name: string
  readonly adapter: Parameters<typeof fetchEndpoint>[0] & { use(middleware: object): unknown }
}

/**
 * The Teams bot of `hone serve`, at `/api/messages`.
 *
 * @throws HoneError CONFIG when it is configured by half, no SDK is installed, or it would answer anybody.
 */
export const openTeams: OpenChannel = async (bot, config, log) => {
  const { appId, admins, feedback, insecure } = config.teams
  if (!appId && !insecure) return undefined
  check(config)
  const { name, adapter } = await openSdk(config.teams)
  const tenants = tenantsOf(config.teams)
  const trust = insecure ? { insecureLocalTesting: true, serviceHosts: ['127.0.0.1', 'localhost'] } : { tenants }
  const hone = teams(bot, { adapter, appId, admins, feedback, log, ...trust })
  adapter.use(hone)
  const messages = fetchEndpoint(adapter, { log, ...(insecure ? {} : { tenants }) })
  return {
    name: `teams (${name} at ${path}${insecure ? ', without authentication' : ''})`,
    async fetch(request) {
      const { pathname, hostname } = new URL(request.url)
      if (pathname !== path) return undefined
      // A page of a site whose name was made to lead to this machine.
      if (insecure && !loopback.has(hostname)) return new Response('Only for this machine.', { status: 403 })
      return messages(request)
    },
    async [Symbol.asyncDispose]() {
      hone.detach()
    },
  }
}

/** Whoever may reach an unauthenticated bot may be anybody. */
function check({ host, teams: { appId, appSecret, appTenant, insecure } }: Config): void {
  if (insecure && appId)
    throw new HoneError('CONFIG', 'HONE_TEAMS_INSECURE is on, but HONE_TEAMS_APP_ID is set as well.')
  if (insecure && !loopback.has(host))
    throw new HoneError('CONFIG', `HONE_TEAMS_INSECURE is on, but HONE_HOST is ${host}; it must be loopback.`)
  if (insecure) return
  if (!appSecret) throw new HoneError('CONFIG', 'Teams is configured by half: HONE_TEAMS_APP_SECRET is missing.')
  if (!appTenant) throw new HoneError('CONFIG', 'Teams is configured by half: HONE_TEAMS_APP_TENANT is missing.')
}

/** Tokens of the Bot Framework name no tenant, so it is ours to say who may talk to the bot. */
function tenantsOf({ tenants, appTenant }: TeamsConfig): readonly string[] {
  return tenants.length > 0 ? tenants : [appTenant]
}

/** The SDKs that Teams can be served with, best first: botbuilder is retired upstream. */
export const sdks = [openAgents, openBotBuilder]

async function openSdk(config: TeamsConfig): Promise<Sdk> {
  for (const open of sdks) {
    const sdk = await open(config).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
      throw error
    })
    if (sdk) return sdk
  }
  throw new HoneError('CONFIG', 'Teams needs an SDK: npm install @microsoft/agents-hosting')
}

async function openAgents({ appId, appSecret, appTenant }: TeamsConfig): Promise<Sdk> {
  const { CloudAdapter } = await import('@microsoft/agents-hosting')
  const auth = { clientId: appId, clientSecret: appSecret, tenantId: appTenant, validateIssuer: true }
  const strict = { emitStackTrace: false, validateServiceUrl: true }
  const adapter = new CloudAdapter(appId ? auth : { clientId: '' }, undefined, undefined, strict)
  adapter.onTurnError = rethrow
  return { name: 'agents-hosting', adapter: adapter as unknown as Sdk['adapter'] }
}

async function openBotBuilder({ appId, appSecret, appTenant }: TeamsConfig): Promise<Sdk> {
  const { CloudAdapter, ConfigurationBotFrameworkAuthentication } = await import('botbuilder')
  const auth = new ConfigurationBotFrameworkAuthentication({
    MicrosoftAppId: appId,
    MicrosoftAppPassword: appSecret,
    MicrosoftAppTenantId: appTenant,
    MicrosoftAppType: appId ? 'SingleTenant' : 'MultiTenant',
  })
  const adapter = new CloudAdapter(auth)
  adapter.onTurnError = rethrow
  return { name: 'botbuilder', adapter: adapter as unknown as Sdk['adapter'] }
}

/** The SDKs' own answer is to tell the person about a bug. */
async function rethrow(_: unknown, error: Error): Promise<void> {
  throw error
}

/** What `hone doctor` says about Teams: credentials, endpoint, and who may talk to it. `entra` is where tokens come from. */
export async function teamsFindings(
  config: Config,
  entra = 'https://login.microsoftonline.com',
): Promise<readonly Finding[]> {
  const { appId, insecure, url } = config.teams
  if (!appId && !insecure) return []
  try {
    check(config)
  } catch (error) {
    return [{ what: 'Teams', ok: false, detail: error instanceof HoneError ? error.message : String(error) }]
  }
  if (insecure) return [{ what: 'Teams', ok: true, detail: 'answers without authentication, on this machine only' }]
  return [
    await sdk(config.teams),
    await credentials(config.teams, entra),
    await endpoint(url),
    { what: 'Teams tenants', ok: true, detail: tenantsOf(config.teams).join(', ') },
    policy(config),
  ]
}

async function sdk(config: TeamsConfig): Promise<Finding> {
  const what = 'Teams SDK'
  try {
    return { what, ok: true, detail: (await openSdk(config)).name }
  } catch (error) {
    return { what, ok: false, detail: error instanceof HoneError ? error.message : String(error) }
  }
}

async function credentials({ appId, appSecret, appTenant }: TeamsConfig, entra: string): Promise<Finding> {
  const what = 'Teams credentials'
  const scope = 'https://api.botframework.com/.default'
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: appId,
    client_secret: appSecret,
    scope,
  })
  const login = `${entra}/${encodeURIComponent(appTenant)}/oauth2/v2.0/token`
  try {
    const response = await fetch(login, { method: 'POST', body, signal: AbortSignal.timeout(checkMs) })
    if (response.ok) return { what, ok: true, detail: `Entra accepts them for ${appId}` }
    const { error_description: why = `status ${response.status}` } = (await response.json()) as Record<string, string>
    return { what, ok: false, detail: why.split('\n')[0] ?? '' }
  } catch {
    return { what, ok: false, detail: `could not be checked: ${entra} was not reached` }
  }
}

/** Our own endpoint refuses a body without a type: that is how it is known. */
async function endpoint(url: string): Promise<Finding> {
  const what = 'Teams endpoint'
  if (!url)
    return { what, ok: true, detail: `${path} on HONE_PORT; set HONE_TEAMS_URL to have its public address checked` }
  try {
    const headers = { 'content-type': 'application/json' }
    const { status } = await fetch(url, { method: 'POST', headers, body: '{}', signal: AbortSignal.timeout(checkMs) })
    const ok = status === 400
    return { what, ok, detail: ok ? `${url} is this bot` : `${url} answers ${status}; is \`hone serve\` behind it?` }
  } catch {
    return { what, ok: false, detail: `${url} was not reached` }
  }
}

function policy({ trainOn }: Config): Finding {
  const detail = trainOn.includes('teams')
    ? 'votes may be trained on, as HONE_TRAIN_ON says'
    : 'votes are kept and not trained on; read Microsoft’s terms before you add teams to HONE_TRAIN_ON'
  return { what: 'Teams policy', ok: true, detail }
}
