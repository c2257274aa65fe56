import { CloudAdapter as AgentsAdapter } from '@microsoft/agents-hosting'
import { type Host, host, type OpenHost, type Outside } from './host.ts'
import { appId, outboundToken } from './ids.ts'

/** agents-hosting, with the strict settings that `hone serve` uses. */
export const agents: OpenHost = (connector, { anonymous = false } = {}) => agentsHost(connector, anonymous, true)

/** agents-hosting as it is when nobody sets anything. */
export const lenientAgents: OpenHost = (connector) => agentsHost(connector, false, false)

function agentsHost(connector: Outside, anonymous: boolean, strict: boolean): Host {
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
