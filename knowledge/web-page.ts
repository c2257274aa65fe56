import { lookup as systemLookup } from 'node:dns'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { asHoneError, HoneError } from '../src/errors.ts'

export interface FetchLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
  /** Allow addresses of this machine and of the private network. */
  readonly allowPrivate: boolean
  readonly signal?: AbortSignal
}

/** A page as it came. */
export interface Page {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Where it was found at last, after redirects. */
  readonly address: string
}

/**
 * Fetches a page over http or https, following five redirects at most.
 *
 * The address is checked where the connection is made, after name resolution and for every redirect, so neither a
 * redirect nor a name that points inwards reaches a private address.
 *
 * @throws HoneError NETWORK when the page can't be had, FORBIDDEN for a private address, DOCUMENT when it is too large.
 */
export async function fetchPage(address: string, limits: FetchLimits): Promise<Page> {
  const timeout = AbortSignal.timeout(limits.timeoutMs)
  const signal = limits.signal ? AbortSignal.any([limits.signal, timeout]) : timeout
  let url = webAddress(address)
  for (let hops = 0; hops <= 5; hops++) {
    const response = await open(url, limits, signal).catch((error: unknown) => refuse(error, url, timeout))
    const status = response.statusCode ?? 0
    const next = response.headers.location
    if (status >= 300 && status < 400 && next) {
      response.destroy()
      url = webAddress(new URL(next, url).href)
      continue
    }
    if (status !== 200) {
      response.destroy()
      throw new HoneError('NETWORK', `${url.href} answered with status ${status}.`)
    }
    const bytes = await body(response, limits.maxBytes).catch((error: unknown) => refuse(error, url, timeout))
    return { bytes, contentType: response.headers['content-type'] ?? '', address: url.href }
  }
  throw new HoneError('NETWORK', `${address} redirects too often.`)
}

/** True for what `fetchPage` can fetch. */
export const isWebAddress = (text: string): boolean => /^https?:\/\//i.test(text)

function webAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !isWebAddress(url.href)) throw new HoneError('INPUT', `${text} is no http or https address.`)
  return url
}

function open(url: URL, limits: FetchLimits, signal: AbortSignal): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!limits.allowPrivate && isIP(host) && isPrivate(host)) throw inward(host)
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request(url, {
    signal,
    headers: { 'user-agent': 'hone', accept: 'text/html,text/markdown,text/plain,*/*;q=0.5' },
    ...(!limits.allowPrivate && { lookup: outwardLookup }),
  })
    .on('response', resolve)
    .on('error', reject)
    .end()
  return promise
}

/** Name resolution that refuses a name as soon as one of its addresses is private. */
const outwardLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, found) => {
    const bad = found?.find((one) => isPrivate(one.address))
    const first = found?.[0]
    if (error || bad || !first) callback(error ?? inward(hostname), '', 0)
    else if (options.all) callback(null, found)
    else callback(null, first.address, first.family)
  })
}

const inward = (host: string) =>
  new HoneError('FORBIDDEN', `${host} is an address of this machine or of the private network.`)

const privateRanges = new BlockList()
for (const range of [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24',
  '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  '::/127 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 fc00::/7 fe80::/10 ff00::/8',
].flatMap((line) => line.split(' '))) {
  const [net, bits] = range.split('/') as [string, string]
  privateRanges.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4')
}

/** True for addresses that are not of the public internet (IANA special-purpose registries). */
export function isPrivate(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return isPrivate(mapped)
  if (/^::ffff:/i.test(address)) return true
  return privateRanges.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

async function body(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response) {
    parts.push(part as Buffer)
    size += (part as Buffer).length
    if (size > maxBytes) throw tooLarge(maxBytes)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** What is said of a document over the size limit. */
export function tooLarge(maxBytes: number): HoneError {
  return new HoneError('DOCUMENT', `It is larger than ${Math.floor(maxBytes / 1024 / 1024)} MB.`)
}

function refuse(error: unknown, url: URL, timeout: AbortSignal): never {
  if (timeout.aborted) throw new HoneError('NETWORK', `${url.href} took too long to answer.`, { cause: error })
  throw asHoneError(error, 'NETWORK', `${url.href} can't be fetched`)
}
