import type { Transaction } from 'kysely'
import type { ChatMessage } from '../ports/engine.ts'
import type { ProfileMade } from '../ports/profiles.ts'
import type { ToldExample } from '../ports/store.ts'
import { canonicalJson, sha256 } from './hash.ts'
import type { Session, Tables } from './schema.ts'
import { withoutExamples } from './told.ts'

type On = Transaction<Tables>

/** Few enough for one statement's parameters on both databases. */
const CHUNK = 500
/** Stands where an audit row named the person. */
const NOBODY = 'forgotten'

/**
 * Deletes what a person wrote and everything below it, what was said of those turns, and every vote, correction
 * and duel of theirs; and takes the examples and profiles that they are behind out of the prompts of others. Their events stay claimed, by hash alone. Then the files are scrubbed, also when there was
 * nothing to delete: so a scrub that failed can be repeated.
 *
 * @returns rows deleted
 */
export async function forget({ db, flavour }: Session, person: string): Promise<number> {
  const deleted = await db.transaction().execute(async (on) => {
    await flavour.alone(on)
    const gone = await turnsOf(on, person)
    const rows = (await deleteTurns(on, gone)) + (await deleteFeedback(on, person))
    await cutExamples(on, person, new Set(gone.map((turn) => turn.id)))
    await emptyProfiles(on, person)
    await on
      .updateTable('inbox')
      .set({ person: null, event: null, why: null, outcome: NOBODY })
      .where('person', '=', person)
      .execute()
    await on.deleteFrom('tool_call').where('person', '=', person).execute()
    await on.updateTable('job').set({ by: NOBODY }).where('by', '=', person).execute()
    await on.updateTable('serving').set({ by: NOBODY }).where('by', '=', person).execute()
    await on.updateTable('profile_log').set({ by: NOBODY }).where('by', '=', person).execute()
    return rows
  })
  await flavour.scrub(db)
  return deleted
}

type Gone = readonly { readonly id: string; readonly prompt: string | null }[]

/** What a person wrote, with everything below it. */
function turnsOf(on: On, person: string): Promise<Gone> {
  return on
    .withRecursive('gone(id, prompt)', (query) => {
      const below = query.selectFrom('turn').innerJoin('gone', 'gone.id', 'turn.parent')
      const own = query.selectFrom('turn').select(['turn.id', 'turn.prompt']).where('person', '=', person)
      return own.union(below.select(['turn.id', 'turn.prompt']))
    })
    .selectFrom('gone')
    .selectAll()
    .execute()
}

async function deleteTurns(on: On, gone: Gone): Promise<number> {
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

/** Takes the examples that a person is behind, and those whose replies are gone, out of the prompts that were told them. */
async function cutExamples(on: On, person: string, gone: ReadonlySet<string>): Promise<void> {
  const told = await on
    .selectFrom('turn')
    .select(['id', 'prompt', 'examples'])
    .where('examples', 'is not', null)
    .where('prompt', 'is not', null)
    .execute()
  for (const { id, prompt, examples: json } of told) {
    const examples = JSON.parse(json as string) as readonly ToldExample[]
    const cut = examples.filter(({ turn, people }) => people.includes(person) || gone.has(turn))
    if (cut.length > 0) await retell(on, { id, prompt: prompt as string }, { examples, cut })
  }
}

interface Cut {
  readonly examples: readonly ToldExample[]
  readonly cut: readonly ToldExample[]
}

/** Gives a reply the prompt that is left of its own. */
async function retell(on: On, turn: { readonly id: string; readonly prompt: string }, { examples, cut }: Cut) {
  const { messages } = await on
    .selectFrom('prompt')
    .select('messages')
    .where('hash', '=', turn.prompt)
    .executeTakeFirstOrThrow()
  const left = withoutExamples({ prompt: JSON.parse(messages) as readonly ChatMessage[], examples }, cut)
  const row = { messages: canonicalJson(left.prompt), hash: sha256(canonicalJson(left.prompt)) }
  const kept = on.insertInto('prompt').values(row)
  await kept.onConflict((conflict) => conflict.column('hash').doNothing()).execute()
  const change = { prompt: row.hash, examples: left.examples.length > 0 ? JSON.stringify(left.examples) : null }
  await on.updateTable('turn').set(change).where('id', '=', turn.id).execute()
  await deleteUnused(on, [turn.prompt])
}

/** Empties profiles that came from a person's feedback, and takes their examples out of the prompts that begin with them. */
async function emptyProfiles(on: On, person: string): Promise<void> {
  const all = await on.selectFrom('profile').select(['version', 'made']).where('made', 'is not', null).execute()
  for (const { version, made: json } of all) {
    const made = JSON.parse(json as string) as ProfileMade
    if (!made.people.includes(person)) continue
    await cutOpenings(on, version, made.examples)
    const empty = JSON.stringify({ ...made, examples: 0, people: [] } satisfies ProfileMade)
    await on.updateTable('profile').set({ content: '', made: empty }).where('version', '=', version).execute()
  }
}

async function cutOpenings(on: On, profile: string, count: number): Promise<void> {
  const begun = on.selectFrom('turn').innerJoin('prompt', 'prompt.hash', 'turn.prompt')
  const turns = await begun
    .select(['turn.id', 'turn.prompt', 'turn.examples', 'prompt.messages'])
    .where('turn.profile', '=', profile)
    .execute()
  for (const { id, prompt, examples, messages } of turns) {
    const [first] = JSON.parse(messages) as readonly ChatMessage[]
    const begin = first?.role === 'system' ? 1 : 0
    const cut = Array.from({ length: count }, (_, i) => ({ id: '', turn: '', people: [], at: begin + 2 * i }))
    const told = JSON.parse(examples ?? '[]') as readonly ToldExample[]
    if (cut.length > 0) await retell(on, { id, prompt: prompt as string }, { examples: told, cut })
  }
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
