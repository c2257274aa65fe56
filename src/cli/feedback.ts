import { readFile, writeFile } from 'node:fs/promises'
import { parseRows, type RowFormat, rowFormats } from '../../training/index.ts'
import { asHoneError, HoneError } from '../errors.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'

function formatOf(name: string | undefined): RowFormat {
  const format = (name ?? 'dpo') as RowFormat
  if (!rowFormats.includes(format))
    throw new HoneError('INPUT', `--format is "${name}"; it must be one of ${rowFormats.join(', ')}.`)
  return format
}

/** `hone feedback stats`: what there is, and what it could train. */
export async function stats(desk: Desk, output: Output): Promise<void> {
  const counts = await desk.stats()
  output.result(
    Object.entries(counts)
      .map(([name, count]) => `${String(count).padStart(6)}  ${name}`)
      .join('\n'),
    counts,
  )
}

/** `hone feedback export --format dpo [--out FILE]`: JSONL in TRL's formats. */
export async function exportRows(
  format: string | undefined,
  file: string | undefined,
  desk: Desk,
  output: Output,
): Promise<void> {
  const rows = await desk.exportRows(formatOf(format))
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  if (!file) return void process.stdout.write(text)
  await writeFile(file, text).catch((error: unknown) => {
    throw asHoneError(error, 'INPUT', `${file} can't be written`)
  })
  output.result(`${rows.length} rows written to ${file}.`, { rows: rows.length, file })
}

/** `hone feedback import FILE --format dpo`: all rows or none. */
export async function importRows(file: string, format: string | undefined, desk: Desk, output: Output): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw asHoneError(error, 'INPUT', `${file} can't be read`)
  })
  const rows = parseRows(text, formatOf(format))
  const { added, known } = await desk.importRows(rows)
  output.result(`${added} rows taken, ${known} were there already.`, { added, known })
}
