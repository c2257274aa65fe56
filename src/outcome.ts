import type { GateCheck, GateReport } from './ports/learning.ts'
import type { Job } from './ports/store.ts'

/** What kind of run it is, in words. @example jobName(job) // 'comparison' */
export function jobName({ detail }: Pick<Job, 'detail'>): string {
  if (detail.compare) return 'comparison'
  return detail.tune ? 'search for a prompt' : 'training run'
}

/** How a run ended, with the numbers that decided. */
export function outcomeText(job: Job, gate?: GateReport): string {
  const name = jobName(job)
  const lines = [`${name[0]?.toUpperCase()}${name.slice(1)} ${job.id}: **${job.state}**.`]
  lines.push(...checkLines(gate?.checks ?? []))
  if (job.state === 'canary')
    lines.push(`${job.detail.version} answers a share of the threads now; what people say of it there decides.`)
  if (typeof job.detail.peft === 'string') lines.push(`Its PEFT folder: ${job.detail.peft}`)
  const { error } = job.detail as { readonly error?: { readonly message: string; readonly help: string } }
  if (error) lines.push(`${error.message} ${error.help}`)
  return lines.join('\n')
}

/** The gate's checks, a line each. */
export function checkLines(checks: readonly GateCheck[]): readonly string[] {
  const figure = (value: number) => Number(value.toPrecision(3)).toString()
  return checks.map(({ pass, what, value, limit, interval, n, onFail }) => {
    const range = interval ? [interval.map(figure).join(' to ')] : []
    return `- ${pass ? '✔' : onFail ? '?' : '✖'} ${what}: ${figure(value)} (${[limit, ...range, `n = ${n}`].join(', ')})`
  })
}
