/** What a variable may hold. Text comes from elsewhere; everything else is checked against what the profile allows. */
export interface Kind {
  readonly type: 'text' | 'number' | 'boolean' | 'date'
  /** The only texts there may be. */
  readonly choices?: readonly string[] | undefined
}

const longest = 500

/**
 * A value as the prompt shows it: text on one line of at most 500 characters that can't open or close a block, a number,
 * `yes` or `no`, a date as `2026-01-31`.
 *
 * @throws Error saying what was expected. It never holds the value, since it is logged.
 * @example readValue({ type: 'date' }, new Date(0)) // '1970-01-01'
 */
export function readValue({ type, choices }: Kind, raw: unknown): string {
  const value = readers[type](raw)
  if (value === undefined) throw new Error(`It is no ${type}.`)
  if (choices && !choices.includes(value)) throw new Error(`It is none of ${choices.join(', ')}.`)
  return value
}

/** True for values that the profile's author has foreseen one by one: these may stand in the system message. */
export function isForeseen({ type, choices }: Kind): boolean {
  return type !== 'text' || choices !== undefined
}

const readers: Readonly<Record<Kind['type'], (raw: unknown) => string | undefined>> = {
  text: (raw) => (['string', 'number', 'boolean'].includes(typeof raw) ? oneLine(String(raw)) : undefined),
  number: readNumber,
  boolean: readBoolean,
  date: readDate,
}

function readNumber(raw: unknown): string | undefined {
  const number = typeof raw === 'string' && raw.length < 40 && raw.trim() ? Number(raw) : raw
  return typeof number === 'number' && Number.isFinite(number) ? String(number) : undefined
}

function readBoolean(raw: unknown): string | undefined {
  if (raw === true || raw === 'true' || raw === 'yes') return 'yes'
  return raw === false || raw === 'false' || raw === 'no' ? 'no' : undefined
}

function readDate(raw: unknown): string | undefined {
  const text = raw instanceof Date && !Number.isNaN(raw.getTime()) ? raw.toISOString() : raw
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text)) return undefined
  return Number.isNaN(Date.parse(text)) ? undefined : text.slice(0, 10)
}

/** Text as data: on one line, without anything that could open or close a block. Cut before it is looked at: a value may have any length. Characters that can't be seen go, so nothing hides in them. */
export function oneLine(text: string, most = longest): string {
  const line = text
    .slice(0, 8 * most)
    .replace(/\p{Cf}/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/[<＜﹤]/g, '‹')
    .replace(/[>＞﹥]/g, '›')
    .trim()
  return (line.length > most ? `${line.slice(0, most)}…` : line).toWellFormed()
}
