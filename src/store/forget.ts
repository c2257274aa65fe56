import type { Transaction } from 'kysely'
import type { Session, Tables } from './schema.ts'

type On = Transaction<Tables>

/** Few enough for one statement's parameters on both databases. */
const CHUNK = 500
/** Stands where an audit row named the person. */
const NOBODY = 'forgotten'

/**
 * Deletes what a person wrote and everything below it, what was said of those turns, and every vote, correction
 * and duel of theirs. Their events stay claimed, by hash alone. Then the files are scrubbed, also when there was
 * nothing to delete: so a scrub that failed can be repeated.
 *
 * @returns rows deleted
 */
export async function forget({ db, flavour }: Session, person: string): Promise<number> {
  const deleted = await db.transaction().execute(async (on) => {
    await flavour.alone(on)
    const rows = (await deleteTurns(on, person)) + (await deleteFeedback(on, person))
    await on
      .updateTable('inbox')
      .set({ person: null, event: null, why: null, outcome: NOBODY })
      .where('person', '=', person)
      .execute()
    await on.updateTable('job').set({ by: NOBODY }).where('by', '=', person).execute()
    await on.updateTable('serving').set({ by: NOBODY }).where('by', '=', person).execute()
    return rows
  })
  await flavour.scrub(db)
  return deleted
}

async function deleteTurns(on: On, person: string): Promise<number> {
  const gone = await on
    .withRecursive('gone(id, prompt)', (query) => {
      const below = query.selectFrom('turn').innerJoin('gone', 'gone.id', 'turn.parent')
      const own = query.selectFrom('turn').select(['turn.id', 'turn.prompt']).where('person', '=', person)
      return own.union(below.select(['turn.id', 'turn.prompt']))
    })
    .selectFrom('gone')
    .selectAll()
    .execute()
  let rows = 0
  for (const ids of chunks(gone.map((turn) => turn.id))) rows += await deleteChunk(on, ids)
  const prompts = new Set(gone.flatMap((turn) => turn.prompt ?? []))
  for (const hashes of chunks([...prompts])) rows += await deleteUnused(on, hashes)
  return rows
}

async function deleteChunk(on: On, ids: readonly string[]): Promise<number> {
  return total([
    await on.deleteFrom('message').where('turn', 'in', ids).executeTakeFirst(),
    await on.deleteFrom('vote').where('turn', 'in', ids).executeTakeFirst(),
    await on.deleteFrom('correction').where('turn', 'in', ids).executeTakeFirst(),
    await on.deleteFrom('duel').where('left_turn', 'in', ids).executeTakeFirst(),
    await on.deleteFrom('duel').where('right_turn', 'in', ids).executeTakeFirst(),
    await on.deleteFrom('turn').where('id', 'in', ids).executeTakeFirst(),
  ])
}

/** Prompts may be shared: one that another reply still stands on is kept. */
async function deleteUnused(on: On, hashes: readonly string[]): Promise<number> {
  const unused = on.deleteFrom('prompt').where('hash', 'in', hashes)
  const result = await unused
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('turn').select('turn.id').whereRef('turn.prompt', '=', 'prompt.hash'))),
    )
    .executeTakeFirst()
  return total([result])
}

async function deleteFeedback(on: On, person: string): Promise<number> {
  return total([
    await on.deleteFrom('vote').where('person', '=', person).executeTakeFirst(),
    await on.deleteFrom('correction').where('person', '=', person).executeTakeFirst(),
    await on.deleteFrom('duel').where('person', '=', person).executeTakeFirst(),
  ])
}

function total(results: readonly { readonly numDeletedRows: bigint }[]): number {
  return results.reduce((sum, result) => sum + Number(result.numDeletedRows), 0)
}

function chunks(all: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) => all.slice(i * CHUNK, (i + 1) * CHUNK))
}
