import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRows, type RowFormat, rowFormats, type Toolkit, toolkits } from '../../training/index.ts'
import { asHoneError, HoneError } from '../errors.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'

function formatOf(name: string | undefined): RowFormat {
  const format = (name ?? 'dpo') as RowFormat
  if (!rowFormats.includes(format))
    throw new HoneError(
      'INPUT',
      `--format is "${name}"; it must be one of ${rowFormats.join(', ')}, or to export ${toolkits.join(', ')}.`,
    )
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

/** `hone feedback export --format dpo [--out FILE]`: JSONL in TRL's formats, or a folder for another trainer. */
export async function exportRows(
  format: string | undefined,
  file: string | undefined,
  desk: Desk,
  output: Output,
): Promise<void> {
  if (toolkits.includes(format as Toolkit)) return exportFolder(format as Toolkit, file, desk, output)
  const rows = await desk.exportRows(formatOf(format))
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  if (!file) return void process.stdout.write(text)
  await writeFile(file, text).catch((error: unknown) => {
    throw asHoneError(error, 'INPUT', `${file} can't be written`)
  })
  output.result(`${rows.length} rows written to ${file}.`, { rows: rows.length, file })
}

/** `hone feedback export --format llama-factory|axolotl --out FOLDER`. */
async function exportFolder(toolkit: Toolkit, folder: string | undefined, desk: Desk, output: Output): Promise<void> {
  if (!folder)
    throw new HoneError('INPUT', `--format ${toolkit} makes several files: name a folder for them with --out.`)
  const files = await desk.exportFor(toolkit)
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  } catch (error) {
    throw asHoneError(error, 'INPUT', `${folder} can't be written`)
  }
  const names = Object.keys(files)
  output.result(`${names.join(', ')} written to ${folder}.`, { folder, files: names })
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
