import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { type ErrorCode, HoneError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { type Sessions, same } from './session.ts'
import type { Env } from './site.ts'

const loopback = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** Nothing but our own files is loaded, run or connected to; nobody may frame the page. */
export const headers: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
  strictTransportSecurity: false,
})

/**
 * On loopback, only the names of this machine are answered: a page elsewhere whose name was made to point here
 * (DNS rebinding) sends its own name.
 */
export function ownHost(host: string): MiddlewareHandler {
  const guarded = loopback.has(host)
  return async function checkHost(c, next) {
    const name = (c.req.header('host') ?? new URL(c.req.url).host).replace(/:\d+$/, '').toLowerCase()
    if (guarded && !loopback.has(name)) {
      throw new HoneError('FORBIDDEN', `This page answers only on this machine, not as "${name.slice(0, 100)}".`)
    }
    await next()
  }
}

/** No request may be larger than 1 MB. */
export const limited: MiddlewareHandler = bodyLimit({
  maxSize: 1024 * 1024,
  onError: (c) =>
    c.text('This is larger than 1 MB. A message may have 8,000 characters; ingest long texts as documents.', 413),
})

/** Knows the person; a page gives a new one a cookie, a POST without one is refused. */
export function known(sessions: Sessions): MiddlewareHandler<Env> {
  return async function findPerson(c, next) {
    const session = await sessions.read(c)
    if (!session && c.req.method !== 'GET') {
      throw new HoneError('FORBIDDEN', 'Your browser sent no cookie. Allow cookies for this page and reload it.')
    }
    c.set('session', session ?? (await sessions.create(c)))
    await next()
  }
}

/** A POST must come from our own page: by the browser's word, and by the token that only our page knows. */
export const fromOurPage: MiddlewareHandler<Env> = async function checkOrigin(c, next) {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  const site = c.req.header('sec-fetch-site')
  const form = await c.req.parseBody()
  c.set('form', form)
  const token = c.req.header('x-hone-csrf') ?? form.csrf
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (foreign || typeof token !== 'string' || !same(token, c.get('session').csrf)) {
    throw new HoneError(
      'FORBIDDEN',
      'This form is out of date or came from another page. Reload the page and try again.',
    )
  }
  return next()
}

const statuses: Partial<Record<ErrorCode, 403 | 404 | 409 | 422 | 429>> = {
  BUSY: 409,
  FEEDBACK: 409,
  FORBIDDEN: 403,
  INPUT: 422,
  LIMIT: 429,
  NOT_ENOUGH_DATA: 409,
  NOT_FOUND: 404,
}

/** Turns anything thrown into a status and a sentence; only the unexpected is logged as an error. */
export function explain(
  error: Error,
  c: Context,
  log: Logger,
): { status: 400 | 403 | 404 | 409 | 422 | 429 | 500; text: string; help: string } {
  if (error instanceof HoneError) {
    const status = statuses[error.code]
    if (!status) log.error('web.failed', { path: c.req.path, code: error.code, error })
    return { status: status ?? 500, text: error.message, help: error.help }
  }
  log.error('web.failed', { path: c.req.path, error })
  return { status: 500, text: 'Something went wrong here.', help: 'Try again. The log of Hone says more.' }
}
