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
 * run; else it says why not in the log. Where tenants learn apart, one after the other.
 *
 * @throws HoneError CONFIG for an expression that can't be read.
 * @example using nightly = schedule('0 3 * * *', learning, log)
 */
export function schedule(expression: string, learning: Learning, log: Logger): Schedule {
  const stop = new AbortController()
  const due = dueRun(learning, log, stop.signal)
  const job = openCron(expression, due)
  return {
    get next() {
      return job.nextRun() ?? undefined
    },
    [Symbol.dispose]() {
      stop.abort()
      job.stop()
    },
  }
}

/** What happens when a run is due. The newest version tells what was trained on last, across restarts too. */
export function dueRun(learning: Learning, log: Logger, signal?: AbortSignal): () => Promise<void> {
  async function dueFor(of: { readonly tenant?: string }): Promise<void> {
    try {
      const { rows, refusal } = await learning.plan(of)
      const newest = (await learning.versions(of.tenant)).findLast(
        ({ tenant = '' }) => tenant === (of.tenant ?? tenant),
      )
      const same = newest !== undefined && newest.pairs.length === rows.pairs && !newest.forgotten
      if (refusal !== undefined || same) {
        log.info('schedule.skipped', { why: refusal ?? `nothing new since ${newest?.id}`, ...of })
        return
      }
      await toItsEnd(learning, async () => {
        const job = await learning.start('schedule', of)
        log.info('schedule.started', { job: job.id, ...of })
      })
    } catch (error) {
      const failure = asHoneError(error, 'TRAINER_FAILED', 'The scheduled run did not start')
      log[failure.code === 'BUSY' ? 'info' : 'error']('schedule.skipped', { error: failure, ...of })
    }
  }
  return async function due() {
    const tenants = await learning.tenants?.()
    for (const of of tenants?.map((tenant) => ({ tenant })) ?? [{}]) if (!signal?.aborted) await dueFor(of)
  }
}

/** Starts a run and resolves once it has ended. @throws what `start` throws */
export async function toItsEnd(learning: Pick<Learning, 'watch'>, start: () => Promise<unknown>): Promise<void> {
  const unstarted = new AbortController()
  const events = learning.watch(unstarted.signal)
  try {
    await start()
  } catch (error) {
    unstarted.abort()
    throw error
  } finally {
    // Listening has begun before the start, so a run that is short is not missed.
    for await (const _ of events);
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
