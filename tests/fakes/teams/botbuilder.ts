import { CloudAdapter as BotBuilderAdapter, ConfigurationBotFrameworkAuthentication } from 'botbuilder'
import { host, type OpenHost } from './host.ts'
import { appId, outboundToken } from './ids.ts'

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
