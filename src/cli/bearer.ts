import { timingSafeEqual } from 'node:crypto'

/** True when the request carries this token as its bearer token; compared in constant time. */
export function hasBearer(request: Request, token: string): boolean {
  const given = Buffer.from(request.headers.get('authorization') ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
