import { type ErrorCode, HoneError } from '../errors.ts'
import type { SyncReport } from '../ports/knowledge.ts'
import { createBar } from './bar.ts'
import type { Desk } from './desk.ts'
import type { Output } from './output.ts'

const ofTheSource: readonly ErrorCode[] = ['INPUT', 'NETWORK', 'DOCUMENT']

/** `hone ingest PATH|URL…`: progress per file; a second run takes only what changed. */
export async function ingest(sources: readonly string[], desk: Desk, output: Output): Promise<void> {
  const reports: SyncReport[] = []
  const missed: { readonly id: string; readonly reason: string }[] = []
  for (const source of sources) {
    const report = await ingestOne(source, desk).catch((error: unknown) => {
      // What is wrong with one source keeps none of the others out.
      if (!(error instanceof HoneError) || !ofTheSource.includes(error.code)) throw error
      missed.push({ id: source, reason: error.message })
      if (missed.length === sources.length) throw error
    })
    if (report) reports.push(report)
  }
  const sum = (key: 'added' | 'changed' | 'unchanged' | 'removed' | 'embedded') =>
    reports.reduce((total, report) => total + report[key], 0)
  const failed = [...reports.flatMap((report) => report.failed), ...missed]
  for (const { id, reason } of failed) output.say(`✖ ${id}: ${reason}`)
  const text = `${sum('added')} added, ${sum('changed')} changed, ${sum('unchanged')} unchanged, ${sum('removed')} removed; ${sum('embedded')} passages embedded; ${failed.length} failed.`
  output.result(text, { reports, ...(missed.length > 0 ? { missed } : {}) })
  if (failed.length > 0) process.exitCode = 1
}

/** Ingests one folder, file or URL with a progress bar. */
export async function ingestOne(source: string, desk: Desk): Promise<SyncReport> {
  const bar = createBar(`Reading ${source}`)
  try {
    for await (const one of desk.ingest({ source, base: process.cwd() })) {
      if ('report' in one) return one.report
      bar.update(one.step.done, one.step.total, one.step.document)
    }
    throw new HoneError('STORE', 'It ended without a report. Run the command again.')
  } finally {
    bar.stop()
  }
}

/** `hone search QUERY`: passages with scores. */
export async function search(query: string, desk: Desk, output: Output): Promise<void> {
  const passages = await desk.search(query)
  const lines = passages.map(
    ({ score, title, text }) => `${score.toFixed(3)}  ${title}\n       ${text.replace(/\s+/g, ' ').slice(0, 160)}`,
  )
  output.result(lines.join('\n') || 'No passage matches.', { query, passages })
}
