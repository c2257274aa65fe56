import { sql } from 'kysely'
import type { ThreadId } from '../ports/channel.ts'
import type { Turn } from '../ports/store.ts'
import { hot } from './hot.ts'
import { toTurn } from './rows.ts'
import type { Db } from './schema.ts'

const TITLE_LENGTH = 80

const ancestors = hot((db, { thread, above: most }: { readonly thread: ThreadId; readonly above: number }) =>
  db
    .withRecursive('branch(id, parent, height)', (on) => {
      const newest = on.selectFrom('turn').select('id').where('thread', '=', thread)
      const leaf = newest.orderBy('at', 'desc').orderBy('seq', 'desc').limit(1)
      const start = on
        .selectFrom('turn')
        .select(['id', 'parent', sql<number>`0`.as('height')])
        .where('id', '=', leaf)
      const above = on
        .selectFrom('branch')
        .innerJoin('turn', 'turn.id', 'branch.parent')
        .select(['turn.id', 'turn.parent', sql<number>`branch.height + 1`.as('height')])
        // A parent in another thread would show its text to people who were not there.
        .where('turn.thread', '=', thread)
        .where('branch.height', '<', most)
      return start.unionAll(above)
    })
    .selectFrom('branch')
    .innerJoin('turn', 'turn.id', 'branch.id')
    .selectAll('turn')
    .orderBy('branch.height', 'desc'),
)

/** The newest turn of a thread and at most `limit - 1` of its ancestors, oldest first. */
export async function branch(db: Db, thread: ThreadId, limit: number): Promise<readonly Turn[]> {
  if (limit < 1) return []
  return (await ancestors(db, { thread, above: limit - 1 })).map(toTurn)
}

/** The threads a person wrote in, the one with the newest turn first; titled by the person's first words there. */
export async function threads(
  db: Db,
  { tenant, person, limit }: { readonly tenant: string; readonly person: string; readonly limit: number },
): Promise<readonly { readonly thread: ThreadId; readonly title: string; readonly at: Date }[]> {
  const theirs = db.selectFrom('turn').where('person', '=', person).where('tenant', '=', tenant)
  const rows = await db
    .selectFrom(
      theirs
        .select((turn) => ['thread', turn.fn.min('seq').as('first')])
        .groupBy('thread')
        .as('mine'),
    )
    .innerJoin('turn', 'turn.seq', 'mine.first')
    .select((on) => [
      'turn.thread',
      sql<string>`substr(turn.text, 1, 400)`.as('opening'),
      on
        .selectFrom('turn as any')
        .select((turn) => turn.fn.max('any.at').as('at'))
        .whereRef('any.thread', '=', 'turn.thread')
        .as('at'),
    ])
    .orderBy('at', 'desc')
    .orderBy('mine.first', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ thread, opening, at }) => ({ thread, title: title(opening), at: new Date(at ?? 0) }))
}

function title(opening: string): string {
  const line = opening.replace(/\s+/g, ' ').trim()
  const letters = [...line]
  return letters.length <= TITLE_LENGTH
    ? line
    : `${letters
        .slice(0, TITLE_LENGTH - 1)
        .join('')
        .trimEnd()}…`
}
