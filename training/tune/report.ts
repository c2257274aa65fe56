import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { asHoneError } from '../../src/errors.ts'
import type { TuneReport } from '../../src/ports/tune.ts'
import { percent } from '../checks/check.ts'
import { writeDurably } from '../files.ts'

const fileName = 'tune-prompt.json'

/** What came of a search and what to do, in words. Pure. */
export function adviceOf(report: Omit<TuneReport, 'text'>): string {
  const { best, gate, version, promoted, plan, figures, tried } = report
  if (tried.length === 0) return 'The budget was spent before a candidate could be scored. Give it more.'
  if (!best || !gate) {
    return (
      `No prompt did better than the profile that serves (${plan.profile.serving}) on ${plan.prompts.scored} prompts of the ` +
      'training side, so none was measured on the held-out side. More feedback, a larger budget or a teacher may find one.'
    )
  }
  const [nearer] = figures
  const between = nearer?.interval ? `, 90 % interval ${nearer.interval.map(percent).join(' to ')}` : ''
  const measured = nearer
    ? ` Its fresh answers are nearer to what people chose on ${percent(nearer.after)} of ${nearer.n} held-out prompts${between}.`
    : ''
  if (promoted) return `The best prompt passed the gate and serves as profile ${version}.${measured}`
  if (version && gate.verdict === 'promote')
    return `The best prompt passed the gate.${measured} \`hone profile promote ${version}\` lets it serve.`
  const failed = gate.checks.filter(({ pass }) => !pass).map(({ what }) => what)
  if (version)
    return (
      `The best prompt is held for an admin to decide: ${failed.join('; ')}.${measured} ` +
      `\`hone profile diff ${version}\` shows it, \`hone profile promote ${version}\` lets it serve.`
    )
  return `The gate refused the best prompt: ${failed.join('; ')}.${measured} The profile that serves goes on serving.`
}

/** Keeps a report in its job's folder, whole or not at all. */
export async function writeReport(dataDir: string, report: TuneReport): Promise<void> {
  const folder = join(dataDir, 'jobs', report.job)
  const path = join(folder, fileName)
  try {
    await mkdir(folder, { recursive: true })
    await writeDurably(`${path}.part`, `${JSON.stringify(report, undefined, 2)}\n`)
    await rename(`${path}.part`, path)
  } catch (error) {
    throw asHoneError(error, 'STORE', 'The report of the search could not be written')
  }
}

/** A job's report; undefined where it has none, or a damaged one. */
export async function readReport(dataDir: string, job: string): Promise<TuneReport | undefined> {
  try {
    const text = await readFile(join(dataDir, 'jobs', job, fileName), 'utf8')
    return JSON.parse(text, (key, value: unknown) =>
      key === 'startedAt' ? new Date(String(value)) : key === 'value' && value === null ? Number.NaN : value,
    ) as TuneReport
  } catch {
    return undefined
  }
}

/** Removes the reports that somebody's feedback is behind: they quote it. */
export async function forgetReports(dataDir: string, person: string): Promise<void> {
  for (const job of await readdir(join(dataDir, 'jobs')).catch(() => [])) {
    const report = await readReport(dataDir, job)
    if (report?.people.includes(person)) await rm(join(dataDir, 'jobs', job, fileName), { force: true })
  }
}
