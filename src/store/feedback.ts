import { sql } from 'kysely'
import { guestOf, ownTenants } from '../id.ts'
import type { Feedback, PersonCount, Vote } from '../ports/store.ts'
import { forget } from './forget.ts'
import { judged } from './judged.ts'
import { toCorrection, toDuel, toVote } from './rows.ts'
import type { Db, Session } from './schema.ts'

/** Votes, corrections and duels. Writing one about a turn that doesn't exist fails with NOT_FOUND. */
export function feedback(session: Session): Feedback {
  const { db, write } = session
  return {
    vote: (vote) => write((on) => castVote(on, vote)),
    async correct({ at, ...correction }) {
      await write((on) => {
        const row = on.insertInto('correction').values({ ...correction, at: at.getTime() })
        return row.onConflict((conflict) => conflict.column('id').doNothing()).execute()
      })
    },
    async duel({ id, left, right, person, outcome, at }) {
      const row = { id, left_turn: left, right_turn: right, person, outcome, at: at.getTime() }
      await write((on) => {
        const judged = on.insertInto('duel').values(row)
        const again = { outcome, at: row.at }
        return judged.onConflict((conflict) => conflict.columns(['id', 'person']).doUpdateSet(again)).execute()
      })
    },
    judged: (only) => judged(db, only),
    counts: (tenant) => counts(db, tenant),
    countsOf: (tenant, person) => countsOf(db, tenant, person),
    async ofTurn(turn) {
      const votes = await db
        .selectFrom('vote')
        .selectAll()
        .where('turn', '=', turn)
        .orderBy('at')
        .orderBy('person')
        .execute()
      const better = await db.selectFrom('correction').selectAll().where('turn', '=', turn).orderBy('seq').execute()
      const duels = await db
        .selectFrom('duel')
        .selectAll()
        .where((row) => row.or([row('left_turn', '=', turn), row('right_turn', '=', turn)]))
        .orderBy('at')
        .execute()
      return { votes: votes.map(toVote), corrections: better.map(toCorrection), duels: duels.map(toDuel) }
    },
    forget: (person) => forget(session, person),
  }
}

async function castVote(on: Db, { turn, person, verdict, at, ...vote }: Vote): Promise<void> {
  if (verdict === 'none') {
    await on.deleteFrom('vote').where('turn', '=', turn).where('person', '=', person).execute()
    return
  }
  const change = { verdict, reason: vote.reason || null, at: at.getTime() }
  await on
    .insertInto('vote')
    .values({ turn, person, ...change })
    .onConflict((conflict) =>
      conflict
        .columns(['turn', 'person'])
        .doUpdateSet(change)
        // Repeating a vote changes nothing, and takes no reason away; a reason that comes after the thumb is kept.
        .where((row) =>
          row.or([row('vote.verdict', '!=', verdict), row(sql`coalesce(vote.reason, '')`, '!=', change.reason)]),
        ),
    )
    .execute()
}

async function countsOf(db: Db, tenant: string, person: string): Promise<PersonCount> {
  const votes = await db
    .selectFrom('vote')
    .innerJoin('turn', 'turn.id', 'vote.turn')
    .select(['vote.verdict', sql<number>`count(*)`.as('n')])
    .where('vote.person', '=', person)
    .where('turn.tenant', '=', tenant)
    .groupBy('vote.verdict')
    .execute()
  const better = await db
    .selectFrom('correction')
    .innerJoin('turn', 'turn.id', 'correction.turn')
    .select(sql<number>`count(*)`.as('n'))
    .where('correction.person', '=', person)
    .where('turn.tenant', '=', tenant)
    .executeTakeFirstOrThrow()
  const of = (verdict: 'up' | 'down') => Number(votes.find((row) => row.verdict === verdict)?.n ?? 0)
  return { up: of('up'), down: of('down'), corrections: Number(better.n) }
}

const DAY_MS = 86_400_000

async function counts(db: Db, tenant?: string) {
  const guest = tenant === undefined ? '' : guestOf(tenant)
  const rows = await db
    .selectFrom('vote')
    .innerJoin('turn', 'turn.id', 'vote.turn')
    .select(['turn.version', sql<number>`vote.at / ${sql.lit(DAY_MS)}`.as('day')])
    .select(sql<number>`sum(case vote.verdict when 'up' then 1 else 0 end)`.as('up'))
    .select(sql<number>`sum(case vote.verdict when 'down' then 1 else 0 end)`.as('down'))
    .where('turn.version', 'is not', null)
    .$if(guest !== '', (query) => query.where('turn.tenant', '=', guest))
    .$if(tenant !== undefined && guest === '', (query) => query.where('turn.tenant', 'in', ownTenants))
    .groupBy(['day', 'turn.version'])
    .orderBy('day')
    .orderBy('turn.version')
    .execute()
  return rows.map(({ day, version, up, down }) => ({
    day: new Date(day * DAY_MS).toISOString().slice(0, 10),
    version: version as string,
    up,
    down,
  }))
}
