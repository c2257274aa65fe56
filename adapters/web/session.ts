import { createHash, createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import type { Person } from '../../src/ports/channel.ts'

/** Who sends a request, and what they may do. */
export interface Session {
  /** The part of thread and event ids that belongs to this person alone. */
  readonly pid: string
  readonly person: Person
  readonly admin: boolean
  /** Every POST carries it, as a field `csrf` or the header `x-hone-csrf`. */
  readonly csrf: string
}

export interface SessionOptions {
  readonly adminToken: string
  /** Keeps people's cookies valid when the admin token changes. Absent: derived from the token. */
  readonly secret?: string
  /** Cookie path. */
  readonly path: string
  readonly person?: (request: Request) => Person | undefined | Promise<Person | undefined>
  readonly now: () => number
}

export interface Sessions {
  /** Null: this request carries no valid person cookie. */
  read(c: Context): Promise<Session | null>
  /** A new person, whose cookie goes out with this response. */
  create(c: Context): Promise<Session>
  rename(c: Context, session: Session, name: string): Promise<void>
  /** Compares in constant time and spends one of ten tries a minute. */
  tryToken(token: string): 'right' | 'wrong' | 'too-many'
  signIn(c: Context, session: Session): Promise<void>
  signOut(c: Context): void
}

const yearSeconds = 365 * 24 * 3600
const weekSeconds = 7 * 24 * 3600

/**
 * Sessions in signed, HttpOnly cookies; nothing is kept on the server. The person's cookie is SameSite=Lax, so that a
 * link from elsewhere finds the same person; the admin's is SameSite=Strict and bound to the person.
 */
export function sessions(options: SessionOptions): Sessions {
  const { key, names } = keyring(options)
  const { path } = options
  const allow = bucket(10, 60_000, options.now)

  const session = async (c: Context, pid: string, person: Person): Promise<Session> => {
    const admin = await getSignedCookie(c, key, names.admin)
    const [owner, until] = parts(admin)
    const csrf = createHmac('sha256', key).update(`csrf ${pid}`).digest('hex')
    return { pid, person, csrf, admin: owner === pid && Number(until) > options.now() }
  }
  const writePerson = (c: Context, pid: string, name: string) => {
    const value = `${pid}|${encodeURIComponent(name)}`
    return setSignedCookie(c, names.person, value, key, cookie(c, path, { maxAge: yearSeconds, sameSite: 'Lax' }))
  }

  return {
    async read(c) {
      const known = await options.person?.(c.req.raw)
      if (known) return session(c, encodeURIComponent(known.id.replace(/^web:/, '')), known)
      const [pid, name] = parts(await getSignedCookie(c, key, names.person))
      return pid === '' ? null : session(c, pid, { id: `web:${pid}`, name: decodeURIComponent(name) })
    },
    async create(c) {
      const pid = randomBytes(12).toString('base64url')
      await writePerson(c, pid, 'You')
      return session(c, pid, { id: `web:${pid}`, name: 'You' })
    },
    rename: (c, { pid }, name) => writePerson(c, pid, name),
    tryToken(token) {
      if (!allow()) return 'too-many'
      return options.adminToken !== '' && same(token, options.adminToken) ? 'right' : 'wrong'
    },
    signIn(c, { pid }) {
      const value = `${pid}|${options.now() + weekSeconds * 1000}`
      return setSignedCookie(c, names.admin, value, key, cookie(c, path, { maxAge: weekSeconds, sameSite: 'Strict' }))
    },
    signOut(c) {
      deleteCookie(c, names.admin, { path })
    },
  }
}

function keyring({ secret, adminToken }: SessionOptions) {
  // A visitor holds a signature made with this key, so it must not be a quick hash of a token that may be short.
  const key = secret ?? scryptSync(adminToken, 'hone web sessions', 32).toString('hex')
  // Cookies ignore ports: the suffix keeps two Hones on one machine apart.
  const suffix = createHash('sha256').update(`${key}name`).digest('hex').slice(0, 6)
  return { key, names: { person: `hone_person_${suffix}`, admin: `hone_admin_${suffix}` } }
}

/** The two parts of a cookie's value; empty for none, and for one whose signature is wrong. */
function parts(value: string | false | undefined): readonly [string, string] {
  const [first = '', second = ''] = value ? value.split('|') : []
  return [first, second]
}

function cookie(c: Context, path: string, rest: { readonly maxAge: number; readonly sameSite: 'Lax' | 'Strict' }) {
  return { path, httpOnly: true, secure: new URL(c.req.url).protocol === 'https:', ...rest }
}

/** Equal, in a time that tells nothing about where two texts differ. */
export function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** A token bucket: `size` calls at once, refilled evenly over `perMs`. */
function bucket(size: number, perMs: number, now: () => number): () => boolean {
  let left = size
  let last = now()
  return function take() {
    left = Math.min(size, left + ((now() - last) * size) / perMs)
    last = now()
    if (left < 1) return false
    left -= 1
    return true
  }
}
