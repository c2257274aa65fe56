import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { appId } from './ids.ts'
import type { Route } from './server.ts'

/** Signs tokens as the Bot Framework does, and publishes its keys where both SDKs look for them. */
export interface Issuer {
  readonly name: string
  token(change?: TokenChange): string
  routes(url: string): Record<string, Route>
}

export interface TokenChange {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Signed with a key that was never published. */
  readonly foreignKey?: boolean
}

export { appId }

const keyId = 'key-1'

const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 })

export function createIssuer(serviceUrl: () => string): Issuer {
  const name = 'https://issuer.hone.test'
  return {
    name,
    token({ claims = {}, header = {}, foreignKey = false } = {}) {
      const now = Math.floor(Date.now() / 1000)
      const base = { iss: name, aud: appId, serviceurl: serviceUrl(), nbf: now - 60, exp: now + 3600 }
      const head = { alg: 'RS256', typ: 'JWT', kid: keyId, ...header }
      return signed(head, { ...base, ...claims }, foreignKey ? foreign.privateKey : own.privateKey)
    },
    routes: (url) => ({
      'GET /.well-known/openidconfiguration': () => ({
        status: 200,
        body: { issuer: name, jwks_uri: `${url}keys`, id_token_signing_alg_values_supported: ['RS256'] },
      }),
      'GET /keys': () => ({ status: 200, body: { keys: [published(own.publicKey)] } }),
      // agents-hosting looks below the tenant of the app's registration.
      'GET /botframework.com/discovery/v2.0/keys': () => ({ status: 200, body: { keys: [published(own.publicKey)] } }),
    }),
  }
}

function published(key: KeyObject): object {
  return { ...key.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: 'RS256', endorsements: ['msteams'] }
}

function signed(header: object, payload: object, key: KeyObject): string {
  const body = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  if ((header as { alg: string }).alg === 'none') return `${body}.`
  return `${body}.${createSign('RSA-SHA256').update(body).sign(key).toString('base64url')}`
}
