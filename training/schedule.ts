import { Cron } from 'croner'
import { asHoneError, HoneError } from '../src/errors.ts'
import type { Logger } from '../src/log.ts'
import type { Learning } from '../src/ports/learning.ts'

/** Starts runs by the clock. */
export interface Schedule extends Disposable {
  /** When the next run is due. */
  readonly next: Date | undefined
}

/**
 * Starts a run whenever the cron expression says, if there is enough to train on and something is new since the last
 * run; else it says why not in the log.
 *
 * @throws HoneError CONFIG for an expression that can't be read.
 * @example using nightly = schedule('0 3 * * *', learning, log)
 */
export function schedule(expression: string, learning: Learning, log: Logger): Schedule {
  const due = dueRun(learning, log)
  const job = openCron(expression, due)
  return {
    get next() {
      return job.nextRun() ?? undefined
    },
    [Symbol.dispose]: () => job.stop(),
  }
}

/** What happens when a run is due. The newest version tells what was trained on last, across restarts too. */
export function dueRun(learning: Learning, log: Logger): () => Promise<void> {
  return async function due() {
    try {
      const { rows, refusal } = await learning.plan()
      const newest = (await learning.versions()).at(-1)
      const same = newest !== undefined && newest.pairs.length === rows.pairs && !newest.forgotten
      if (refusal !== undefined || same) {
        log.info('schedule.skipped', { why: refusal ?? `nothing new since ${newest?.id}` })
        return
      }
      const job = await learning.start('schedule')
      log.info('schedule.started', { job: job.id })
    } catch (error) {
      const failure = asHoneError(error, 'TRAINER_FAILED', 'The scheduled run did not start')
      log[failure.code === 'BUSY' ? 'info' : 'error']('schedule.skipped', { error: failure })
    }
  }
}

function openCron(expression: string, due: () => Promise<void>): Cron {
  try {
    // `protect`: a run that takes longer than the interval is not started twice. Unref: the clock keeps no process up.
    return new Cron(expression, { protect: true, unref: true }, due)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HoneError('CONFIG', `HONE_SCHEDULE is "${expression}", which is no cron expression: ${reason}`)
  }
}
