import type { Said, Trial, Trials } from '../ports/trials.ts'
import type { Db, Session } from './schema.ts'

/** What people said of two versions that answer side by side. */
export function trials({ db }: Session): Trials {
  return {
    async repliedIn(thread, from, to) {
      const replies = db.selectFrom('turn').select('id').where('thread', '=', thread).where('role', '=', 'assistant')
      const within = replies.where('at', '>=', from.getTime()).where('at', '<', to.getTime())
      return (await within.limit(1).executeTakeFirst()) !== undefined
    },
    said: async (trial) => ({ thumbs: await thumbs(db, trial), duels: await duels(db, trial) }),
  }
}

async function thumbs(db: Db, { versions, since, quietSince, without }: Trial): Promise<Said['thumbs']> {
  const [start, quiet] = [since.getTime(), quietSince.getTime()]
  const rows = await db
    .selectFrom('vote')
    .innerJoin('turn as reply', 'reply.id', 'vote.turn')
    .select(['reply.thread', 'reply.version', 'vote.person', 'vote.verdict'])
    .where('vote.at', '>=', start)
    .where('reply.at', '>=', start)
    .where('reply.version', 'in', versions)
    .where('reply.duel', 'is', null)
    .$if(without.length > 0, (query) => query.where('reply.tenant', 'not in', without))
    .where(({ not, exists, selectFrom }) => {
      const before = selectFrom('turn as before').select('before.id').whereRef('before.thread', '=', 'reply.thread')
      const replies = before.where('before.role', '=', 'assistant')
      return not(exists(replies.where('before.at', '>=', quiet).where('before.at', '<', start)))
    })
    .execute()
  return rows.map((row) => ({ ...row, version: row.version as string }))
}

async function duels(db: Db, { versions, since, quietSince, without }: Trial): Promise<Said['duels']> {
  const [start, quiet] = [since.getTime(), quietSince.getTime()]
  const rows = await db
    .selectFrom('duel')
    .innerJoin('turn as left', 'left.id', 'duel.left_turn')
    .innerJoin('turn as right', 'right.id', 'duel.right_turn')
    .select(['duel.person', 'duel.outcome', 'left.version as ofLeft', 'right.version as ofRight'])
    .where('duel.at', '>=', start)
    .where('left.at', '>=', start)
    .where('duel.outcome', 'in', ['left', 'right'])
    .where('left.version', 'in', versions)
    .where('right.version', 'in', versions)
    .whereRef('left.version', '!=', 'right.version')
    .$if(without.length > 0, (query) => query.where('left.tenant', 'not in', without))
    .where(({ not, exists, selectFrom }) => {
      const before = selectFrom('turn as before').select('before.id').whereRef('before.thread', '=', 'left.thread')
      const replies = before.where('before.role', '=', 'assistant')
      return not(exists(replies.where('before.at', '>=', quiet).where('before.at', '<', start)))
    })
    .execute()
  return rows.map(({ person, outcome, ofLeft, ofRight }) => ({
    person,
    winner: (outcome === 'left' ? ofLeft : ofRight) as string,
  }))
}
