import { createHash } from 'node:crypto'

/** SHA-256 in lower-case hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/**
 * JSON with sorted keys and no spaces: equal data, equal text (RFC 8785 for everything a prompt holds).
 *
 * @example canonicalJson([{ role: 'user', content: 'Hi' }]) // [{"content":"Hi","role":"user"}]
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
