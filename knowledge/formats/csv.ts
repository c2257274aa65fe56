import { parse } from 'csv-parse/sync'
import { asHoneError } from '../../src/errors.ts'
import type { Parsed } from './parsed.ts'
import { decode } from './text.ts'

/**
 * A table as one line a row, `column: value; column: value`, so that each row can be read alone.
 *
 * @throws HoneError DOCUMENT when the file is no table.
 */
export function readCsv(bytes: Uint8Array, charset?: string): Parsed {
  const text = decode(bytes, charset)
  const rows = table(text)
  const names = rows[0] ?? []
  const lines = rows.slice(1).map((row) =>
    row
      .map((value, i) => (value.trim() ? `${names[i]?.trim() || `column ${i + 1}`}: ${value.trim()}` : ''))
      .filter(Boolean)
      .join('; '),
  )
  return { text: (lines.length > 0 ? lines : [names.join('; ')]).join('\n'), format: 'text' }
}

function table(text: string): readonly (readonly string[])[] {
  try {
    return parse(text, { bom: true, delimiter: delimiter(text), relaxColumnCount: true, skipEmptyLines: true })
  } catch (error) {
    throw asHoneError(error, 'DOCUMENT', 'The table can not be read')
  }
}

/** The character that the first line has most of. */
function delimiter(text: string): string {
  const first = text.split('\n', 1)[0] ?? ''
  const counted = [',', ';', '\t'].map((mark) => ({ mark, count: first.split(mark).length }))
  return counted.reduce((a, b) => (b.count > a.count ? b : a)).mark
}
