import { HoneError } from '../../src/errors.ts'
import type { Parsed } from './parsed.ts'

/**
 * Bytes as text: UTF-8, UTF-16 with its mark, else the old Windows code page.
 *
 * @throws HoneError DOCUMENT when the bytes are no text.
 */
export function decode(bytes: Uint8Array, charset?: string): string {
  const [first, second] = bytes
  const mark =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : undefined
  if (mark) return new TextDecoder(mark).decode(bytes)
  if (bytes.subarray(0, 8192).includes(0)) throw new HoneError('DOCUMENT', 'It is a binary file, not text.')
  for (const name of [charset ?? 'utf-8', 'utf-8']) {
    try {
      return new TextDecoder(name, { fatal: true }).decode(bytes)
    } catch {
      // Not this one: the next, and at last the code page in which every byte means something.
    }
  }
  const text = new TextDecoder('windows-1252').decode(bytes)
  const odd = (text.match(/\p{Cc}/gu) ?? []).filter((one) => !'\t\n\v\f\r'.includes(one)).length
  if (odd > text.length / 100) throw new HoneError('DOCUMENT', 'It is a binary file, not text.')
  return text
}

/** Plain text; a short first line with an empty one under it is its title. */
export function readText(bytes: Uint8Array, charset?: string): Parsed {
  const text = decode(bytes, charset)
  const title = /^\s*(\S[^\n]{0,98})\r?\n\s*\n/.exec(text)?.[1]?.trim()
  return { text, format: 'text', ...(title && { title }) }
}
