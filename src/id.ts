import { randomBytes } from 'node:crypto'

/** A short unique id that sorts by time: kind, milliseconds in base 36, 10 random characters. */
export function newId(kind: string, now = Date.now()): string {
  const random = randomBytes(7).toString('hex').slice(0, 10)
  return `${kind}_${now.toString(36)}${random}`
}
