import { concerns } from '../../src/id.ts'
import type { Logger } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import { followRun, type RunView, sparkline } from '../shared/run.ts'
import { loggable } from './sdk.ts'
import type { Clock } from './stream.ts'

type Show = (view: RunView) => Promise<unknown>

/** Training runs as Teams is shown them, whoever started them, wherever. */
export interface Runs {
  /** The run that goes on, else the last one that was seen here. */
  now(tenant: string): Promise<RunView | undefined>
  /** From now on `show` is called as runs of this tenant go on, instead of what was given under this key before. */
  show(key: string, tenant: string, show: Show): void
  hide(key: string): void
  detach(): void
}

const everyMs = 2500
/** So many boards are kept up to date; older ones are when somebody presses a button. */
const keptShows = 50

export function createRuns(bot: Bot, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Runs {
  const shows = new Map<string, { readonly tenant: string; readonly show: Show }>()
  const detached = new AbortController()
  let run: RunView | undefined
  const failed = (error: unknown): void => log.warn('teams.progress.failed', loggable(error))
  const update = async (view: RunView): Promise<void> => {
    run = view
    const told = [...shows.values()].filter(({ tenant }) => !view.job || concerns(view.job, tenant))
    await Promise.all(told.map(({ show }) => show(view).catch(failed)))
  }
  const follow = async (): Promise<void> => {
    const options = { everyMs, signal: detached.signal, wait: (ms: number) => clock.wait(ms), failed }
    // One run after the other; without a trainer there is none.
    while (!detached.signal.aborted && (await followRun(bot, update, options)));
  }
  void follow().catch(failed)
  return {
    async now(tenant) {
      const [job] = await bot.store.jobs.list(1)
      const seen = run?.job && !concerns(run.job, tenant) ? undefined : run
      if (job?.state !== 'running' || !concerns(job, tenant)) return seen
      if (run?.job?.id === job.id && !run.ended) return run
      const steps = bot.learning?.steps() ?? []
      const last = steps.at(-1)
      const spark = sparkline(steps.map(({ loss }) => loss))
      const begun = { job, phase: 'Training', step: last?.step ?? 0, steps: last?.of ?? 0, spark }
      return last ? { ...begun, loss: last.loss } : begun
    },
    show(key, tenant, show) {
      shows.delete(key)
      shows.set(key, { tenant, show })
      const [oldest] = shows.keys()
      if (shows.size > keptShows && oldest !== undefined) shows.delete(oldest)
    },
    hide: (key) => void shows.delete(key),
    detach: () => detached.abort(),
  }
}
