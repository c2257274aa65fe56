import type { Selectable } from 'kysely'
import { HoneError } from '../errors.ts'
import type { Job, Jobs } from '../ports/store.ts'
import type { JobTable, Session } from './schema.ts'

/** Training runs; a unique index keeps two of one kind from running at once, across processes too. */
export function jobs({ db }: Session): Jobs {
  return {
    async start(job) {
      const { id, kind, state, by } = job
      const times = { started_at: job.startedAt.getTime(), ended_at: job.endedAt?.getTime() ?? null }
      const started = await db
        .insertInto('job')
        .values({ id, kind, state, by, ...times, detail: JSON.stringify(job.detail) })
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst()
      if (started) return
      const running = db.selectFrom('job').select('id').where('kind', '=', kind).where('state', '=', 'running')
      const other = await running.executeTakeFirst()
      throw new HoneError('BUSY', `Job ${id} was not started: ${other ? `${other.id} is running` : 'its id is taken'}.`)
    },
    async update(id, { state, endedAt, detail }) {
      const change = {
        ...(state && { state }),
        ...(endedAt && { ended_at: endedAt.getTime() }),
        ...(detail && { detail: JSON.stringify(detail) }),
      }
      // Setting the id to itself keeps the statement whole when nothing else changes.
      const changed = await db
        .updateTable('job')
        .set({ id, ...change })
        .where('id', '=', id)
        .executeTakeFirst()
      if (changed.numUpdatedRows === 0n) throw new HoneError('NOT_FOUND', `There is no job ${id}.`)
    },
    async get(id) {
      const row = await db.selectFrom('job').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toJob(row)
    },
    async list(limit) {
      const rows = await db.selectFrom('job').selectAll().orderBy('seq', 'desc').limit(limit).execute()
      return rows.map(toJob)
    },
  }
}

function toJob(row: Selectable<JobTable>): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    by: row.by,
    startedAt: new Date(row.started_at),
    ...(row.ended_at !== null && { endedAt: new Date(row.ended_at) }),
    detail: JSON.parse(row.detail) as Job['detail'],
  }
}
