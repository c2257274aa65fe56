import type { ChatMessage } from '../src/ports/engine.ts'
import type { Pair, Unpaired } from './pairs.ts'
import { messageParts } from './text.ts'

/** Personal data that can be told by its form, and what stands in its place. Names can't be told. */
const patterns: readonly (readonly [string, RegExp])[] = [
  ['[email]', /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu],
  ['[IBAN]', /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g],
  ['[phone]', /(?<![\w.,:])(?:\+\d{1,3}|\(?0\d{1,5}\)?)[ /-]{0,2}(?:\(0\)[ -]?)?(?:\d[ -]?){5,12}\d(?!\w)/g],
]
/** Dates look like short phone numbers; 01-05-2026 has eight digits. */
const digitsOfPhone = 9

/**
 * The text without e-mail addresses, phone numbers and account numbers, but for those that `known` has too: what the
 * operator's documents say of a help desk is what people ask for.
 *
 * @example redact('Write to anna@home.example', 'Help desk: desk@work.example') // 'Write to [email]'
 */
export function redact(text: string, known: string): string {
  return patterns.reduce(
    (clean, [mark, pattern]) =>
      clean.replace(pattern, (found) => {
        const date = mark === '[phone]' && found.replace(/\D/g, '').length < digitsOfPhone
        return date || known.includes(found) ? found : mark
      }),
    text,
  )
}

/**
 * The row without people's personal data: in what was asked, in the values of variables, in the replies, in the
 * corrections. Profiles and passages are the operator's and stay as they are. The same row when there is nothing to take out.
 */
export function redactRow<R extends Pair | Unpaired>(row: R): R {
  const known = row.prompt.map(operatorsWords).join('\n')
  const clean = (text: string) => redact(text, known)
  const cleaned = (prompt: Pair['prompt']) =>
    prompt.map((message) => ({ ...message, content: redactMessage(message, clean) }))
  const said =
    'chosen' in row
      ? { chosen: clean(row.chosen), rejected: clean(row.rejected) }
      : { text: clean((row as Unpaired).text) }
  const { explained: whole } = row
  const explained = whole && { prompt: cleaned(whole.prompt), completion: clean(whole.completion) }
  const redacted = { ...row, ...said, prompt: cleaned(row.prompt), ...(explained ? { explained } : {}) }
  return JSON.stringify(redacted) === JSON.stringify(row) ? row : redacted
}

function operatorsWords({ role, content }: ChatMessage): string {
  if (role === 'system') return content
  if (role !== 'user') return ''
  const { passages, highlights } = messageParts(content)
  return `${passages}\n${highlights}`
}

function redactMessage({ role, content }: ChatMessage, clean: (text: string) => string): string {
  if (role === 'system') return content
  if (role !== 'user') return clean(content)
  const { told, passages, highlights, question, behind } = messageParts(content)
  return [clean(told), passages, highlights, clean(question), clean(behind)].filter(Boolean).join('\n\n')
}
