import { sql } from 'kysely'
import type { Past } from '../ports/past.ts'
import type { Session } from './schema.ts'

/** Threads that have replies. */
export function past({ db }: Session): Past {
  const replies = (channels?: readonly string[]) =>
    db
      .selectFrom('turn')
      .where('role', '=', 'assistant')
      .$if(channels !== undefined, (query) => query.where('channel', 'in', channels as readonly string[]))
  return {
    async tenants(channels) {
      if (channels?.length === 0) return []
      const rows = replies(channels)
        .select('tenant')
        .groupBy('tenant')
        .orderBy(({ fn }) => fn.max('at'), 'desc')
        .orderBy('tenant')
      return (await rows.execute()).map(({ tenant }) => tenant)
    },
    async threads({ tenant, channels, since, first, limit }) {
      if (channels.length === 0) return []
      const rows = replies(channels)
        .where('tenant', '=', tenant)
        .$if(since !== undefined, (query) => query.where('at', '>=', (since as Date).getTime()))
        .select('thread')
        .groupBy('thread')
        .$if(first === 'voted', (query) => query.orderBy(judged, 'desc'))
        .orderBy(({ fn }) => fn.max('at'), 'desc')
        .orderBy('thread')
        .limit(limit)
      return (await rows.execute()).map(({ thread }) => thread)
    },
  }
}

/** 1 where somebody said something of a reply of the group. */
const judged = sql<number>`max(case when exists (select 1 from vote where vote.turn = turn.id)
  or exists (select 1 from correction where correction.turn = turn.id)
  or exists (select 1 from duel where duel.left_turn = turn.id or duel.right_turn = turn.id) then 1 else 0 end)`
