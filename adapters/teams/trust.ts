import type { Address } from './address.ts'
import type { Claims } from './sdk.ts'

/** Whom Hone believes, beyond what the SDK has checked already. */
export interface Trust {
  /** Entra tenants that may talk to the bot; tokens name none, so this is checked on its own. Absent: all. */
  readonly tenants?: readonly string[]
  /** Issuers besides the Bot Framework's own. */
  readonly issuers?: readonly string[]
  /** Hosts besides Microsoft's that messages may be sent to. */
  readonly serviceHosts?: readonly string[]
  /**
   * Answers activities that nobody vouches for, as long as the answer goes to this very machine. For local testing; who
   * can reach the route is the server's business, so let it listen on loopback only.
   */
  readonly insecureLocalTesting?: boolean
}

const issuers = ['https://api.botframework.com', 'https://api.botframework.us']
const hosts = [
  'smba.trafficmanager.net',
  'botframework.com',
  'botframework.us',
  'teams.microsoft.com',
  'teams.microsoft.us',
]
const loopback = ['127.0.0.1', 'localhost', '[::1]']

/**
 * Why an activity must not be handled; undefined when it may. botbuilder checks most of this by itself; with its
 * defaults agents-hosting lets other issuers in, and service URLs that the token does not name: Hone's own token would
 * be sent to them.
 */
export function distrust(claims: Claims, { serviceUrl }: Address, trust: Trust): string | undefined {
  const url = URL.parse(serviceUrl)
  if (!url) return 'its service URL is none'
  if (!claims.authenticated) {
    return trust.insecureLocalTesting && loopback.includes(url.hostname) ? undefined : 'nobody vouches for it'
  }
  if (!claims.issuer || ![...issuers, ...(trust.issuers ?? [])].includes(claims.issuer))
    return 'its token is from another issuer'
  if (trimmed(claims.serviceUrl) !== trimmed(serviceUrl)) return 'its token is for another service URL'
  if (!isKnownHost(url, trust)) return 'its service URL is not one of Microsoft’s'
  return undefined
}

function isKnownHost({ protocol, hostname }: URL, { serviceHosts = [] }: Trust): boolean {
  if (serviceHosts.includes(hostname)) return true
  return protocol === 'https:' && hosts.some((host) => hostname === host || hostname.endsWith(`.${host}`))
}

function trimmed(url = ''): string {
  return url.toLowerCase().replace(/\/+$/, '')
}

/** The first tenant of an activity that may not talk to the bot; undefined when all may. One without a tenant may not. */
export function stranger({ tenants }: Trust, named: readonly unknown[]): string | undefined {
  if (!tenants) return undefined
  if (named.length === 0) return 'none'
  const found = named.find((tenant) => !isAmong(tenants, tenant))
  if (found === undefined) return undefined
  return typeof found === 'string' ? found.slice(0, 100) : 'no text'
}

/** Compares ids of Entra, in which case means nothing: people copy them from places that write them in capitals. */
export function isAmong(ids: readonly string[], id: unknown): boolean {
  return typeof id === 'string' && ids.some((known) => known.toLowerCase() === id.toLowerCase())
}
