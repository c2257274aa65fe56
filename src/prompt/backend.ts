import { asHoneError, HoneError } from '../errors.ts'
import type { Backend, Posted } from './variables.ts'

export interface BackendOptions {
  /** Address that the paths of a profile's `from` are put behind. */
  readonly url: string
  /** Sent as bearer token. */
  readonly key?: string
}

const mostBytes = 64 * 1024

/**
 * The host's back end over HTTP: a GET, or a POST of JSON with an `idempotency-key`, answered with JSON or text of at most 64 KB. Redirects aren't followed, so the
 * key goes nowhere else.
 *
 * @throws HoneError NETWORK (when asked) saying what came instead, never the answer itself.
 * @example const plan = await httpBackend({ url: 'http://127.0.0.1:9000' })('/customers/7', signal)
 */
export function httpBackend({ url, key }: BackendOptions): Backend {
  const base = url.replace(/\/+$/, '')
  const headers = { accept: 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) }
  return async function read(path, signal, posted) {
    try {
      const request = { headers, signal, redirect: 'error' } as const
      const response = await fetch(base + path, posted ? { ...request, ...post(posted, headers) } : request)
      if (!response.ok) throw new HoneError('NETWORK', `The back end answered ${response.status}.`)
      const text = await readText(response)
      return /json/.test(response.headers.get('content-type') ?? '') ? parse(text) : text
    } catch (error) {
      throw asHoneError(error, posted && wasSent(error) ? 'UNSURE' : 'NETWORK', 'The back end can’t be asked')
    }
  }
}

/** Whether a request that failed may have reached the back end. */
function wasSent(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
  return code === undefined || !['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)
}

function post({ json, id }: Posted, headers: Readonly<Record<string, string>>) {
  const more = { 'content-type': 'application/json', 'idempotency-key': id }
  return { method: 'POST', body: JSON.stringify(json), headers: { ...headers, ...more } }
}

/** Stops reading where it is too much, whatever the headers promise. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new HoneError('NETWORK', `The back end answered more than ${mostBytes / 1024} KB.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** JSON.parse quotes what it can't read; the answer must not get into a log. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HoneError('NETWORK', 'The back end answered something that is no JSON.')
  }
}
