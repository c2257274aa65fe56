import { CloudAdapter as AgentsAdapter } from '@microsoft/agents-hosting'
import { CloudAdapter as BotBuilderAdapter, ConfigurationBotFrameworkAuthentication } from 'botbuilder'
import { fetchEndpoint, type Teams } from '../../../adapters/teams/index.ts'
import { type Connector, outboundToken } from './connector.ts'
import { appId } from './issuer.ts'

/** A host program on one of the two SDKs. */
export interface Host {
  readonly adapter: object
  use(teams: Teams): void
  /** What arrives at the messaging endpoint. */
  fetch(request: Request): Promise<Response>
  /** What went on to the host's own handler. */
  readonly seen: readonly { readonly type: string; readonly name?: string }[]
  /** Lets the host's handler do something. */
  // biome-ignore lint/suspicious/noExplicitAny: either SDK's context
  onTurn(work: (context: any) => Promise<unknown>): void
}
export type OpenHost = (connector: Connector, how?: { readonly anonymous?: boolean }) => Host

/** botbuilder, authenticating as it does in production, but against the local issuer. */
export const botbuilder: OpenHost = (connector, { anonymous = false } = {}) => {
  const auth = new ConfigurationBotFrameworkAuthentication(
    {
      ToBotFromChannelOpenIdMetadataUrl: `${connector.url}.well-known/openidconfiguration`,
      ToBotFromChannelTokenIssuer: connector.issuer.name,
      ToBotFromEmulatorOpenIdMetadataUrl: `${connector.url}.well-known/openidconfiguration`,
      ToChannelFromBotLoginUrl: connector.url,
      ToChannelFromBotOAuthScope: 'https://api.botframework.com',
      OAuthUrl: connector.url,
      CallerId: '',
    },
    credentials(anonymous),
  )
  const adapter = new BotBuilderAdapter(auth)
  return host(adapter, (teams) => adapter.use(teams))
}

/** Only the token that goes out is made up: the one that comes in is checked by the SDK. */
function credentials(anonymous: boolean): ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[1] {
  const signed = {
    getToken: async () => outboundToken,
    async signRequest<T extends { headers: { set(name: string, value: string): unknown } }>(request: T): Promise<T> {
      request.headers.set('authorization', `Bearer ${outboundToken}`)
      return request
    },
  }
  return {
    isValidAppId: async (id: string) => id === appId,
    isAuthenticationDisabled: async () => anonymous,
    createCredentials: async () => signed,
  } as never
}

/** agents-hosting, with the strict settings that `hone serve` uses. */
export const agents: OpenHost = (connector, { anonymous = false } = {}) => agentsHost(connector, anonymous, true)

/** agents-hosting as it is when nobody sets anything. */
export const lenientAgents: OpenHost = (connector) => agentsHost(connector, false, false)

function agentsHost(connector: Connector, anonymous: boolean, strict: boolean): Host {
  const config = anonymous
    ? { clientId: '' }
    : {
        clientId: appId,
        clientSecret: 'never sent',
        authority: connector.url.replace(/\/$/, ''),
        issuers: [connector.issuer.name],
        validateIssuer: strict,
      }
  const adapter = new AgentsAdapter(config as never, undefined, undefined, { validateServiceUrl: strict } as never)
  const provider = { getAccessToken: async () => outboundToken }
  adapter.connectionManager = {
    getTokenProvider: () => provider,
    getTokenProviderFromActivity: () => provider,
  } as never
  return host(adapter, (teams) => adapter.use(teams))
}

interface Processing {
  // biome-ignore lint/suspicious/noExplicitAny: the two SDKs type them differently
  process(request: any, response: any, logic: any): Promise<unknown>
}

function host(adapter: Processing & object, use: (teams: Teams) => void): Host {
  const seen: { type: string; name?: string }[] = []
  let work: (context: unknown) => Promise<unknown> = async () => undefined
  const logic = async (context: { activity: { type: string; name?: string } }): Promise<void> => {
    const { type, name } = context.activity
    seen.push({ type, ...(name ? { name } : {}) })
    await work(context)
  }
  return {
    adapter,
    seen,
    use,
    onTurn(given) {
      work = given
    },
    fetch: fetchEndpoint(adapter, { logic: logic as never }),
  }
}
