import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { asHoneError, HoneError } from '../errors.ts'
import type { Db, Flavour } from './schema.ts'

type Step = (db: Kysely<unknown>, flavour: Flavour['name']) => Promise<void>

/**
 * Append only: a step that was ever released is never edited, and the next one gets the next number.
 * Each runs in one transaction on both databases.
 */
const steps: Readonly<Record<string, Step>> = {
  '0001_turns': turns,
  '0002_feedback': feedback,
  '0003_inbox': inbox,
  '0004_learning': learning,
  '0005_profiles': profiles,
  '0006_examples': examples,
  '0007_inference': inference,
  '0008_calls': calls,
  '0009_tenants': tenants,
  '0010_wishes': wishes,
  '0011_trials': trials,
  '0012_tuning': tuning,
  '0013_explanations': explanations,
}

/**
 * Brings the tables up to date. Safe when several processes start at once: one does the work, the others wait.
 * `schema` names the PostgreSQL schema that holds the tables.
 *
 * @throws HoneError STORE when the tables were written by a newer Hone.
 */
export async function migrate(db: Db, flavour: Flavour, schema?: string): Promise<void> {
  const migrations: Record<string, Migration> = {}
  for (const [name, step] of Object.entries(steps)) migrations[name] = { up: (on) => step(on, flavour.name) }
  const provider = { getMigrations: async () => migrations }
  const migrator = new Migrator({ db, provider, ...(schema === undefined ? {} : { migrationTableSchema: schema }) })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  const unknown = await newer(migrator, db)
  if (unknown) throw new HoneError('STORE', `The store was last used by a newer Hone (it has step ${unknown}).`)
  throw asHoneError(error, 'STORE', 'The tables could not be brought up to date')
}

/** The first step in the store that this Hone doesn't know. */
async function newer(migrator: Migrator, db: Db): Promise<string | undefined> {
  const known = (await migrator.getMigrations().catch(() => [])).map((migration) => migration.name)
  const done = await sql<{ name: string }>`select name from kysely_migration order by name`
    .execute(db)
    .catch(() => null)
  return done?.rows.find((row) => !known.includes(row.name))?.name
}

const rowNumber = (flavour: Flavour['name']) => (flavour === 'sqlite' ? 'integer' : 'bigserial')

async function turns(db: Kysely<unknown>, flavour: Flavour['name']): Promise<void> {
  await db.schema
    .createTable('prompt')
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('messages', 'text', (column) => column.notNull())
    .execute()
  await turnTable(db, flavour)
  await messageTable(db)
  await db.schema.createIndex('turn_by_thread').on('turn').columns(['thread', 'at', 'seq']).execute()
  await db.schema.createIndex('turn_by_answers').on('turn').column('answers').execute()
  await db.schema.createIndex('turn_by_family').on('turn').columns(['family', 'seq']).execute()
  await db.schema.createIndex('turn_by_person').on('turn').columns(['person', 'tenant', 'thread']).execute()
  for (const column of ['parent', 'prompt']) await index(db, 'turn', column)
}

async function turnTable(db: Kysely<unknown>, flavour: Flavour['name']): Promise<void> {
  await db.schema
    .createTable('turn')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('parent', 'text')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('thread', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('person', 'text')
    .addColumn('event', 'text', (column) => column.unique())
    .addColumn('answers', 'text')
    .addColumn('version', 'text')
    .addColumn('profile', 'text')
    .addColumn('prompt', 'text', (column) => column.references('prompt.hash'))
    .addColumn('sources', 'text')
    .addColumn('usage', 'text')
    .addColumn('duel', 'text')
    .addColumn('family', 'text')
    // Checked at commit: a subtree is deleted in pieces of any order.
    .addForeignKeyConstraint('turn_parent', ['parent'], 'turn', ['id'], (key) => key.deferrable().initiallyDeferred())
    .execute()
}

async function messageTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('message')
    .addColumn('thread', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('turn', 'text', (column) => column.notNull().references('turn.id'))
    .addPrimaryKeyConstraint('message_key', ['thread', 'message'])
    .execute()
  await index(db, 'message', 'turn')
}

async function feedback(db: Kysely<unknown>, flavour: Flavour['name']): Promise<void> {
  await db.schema
    .createTable('vote')
    .addColumn('turn', 'text', (column) => column.notNull().references('turn.id'))
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('verdict', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('vote_key', ['turn', 'person'])
    .execute()
  await db.schema
    .createTable('correction')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('turn', 'text', (column) => column.notNull().references('turn.id'))
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('duel')
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('left_turn', 'text', (column) => column.notNull().references('turn.id'))
    .addColumn('right_turn', 'text', (column) => column.notNull().references('turn.id'))
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    // Several people of one thread may judge the same duel.
    .addPrimaryKeyConstraint('duel_key', ['id', 'person'])
    .execute()
  for (const table of ['vote', 'correction', 'duel']) await index(db, table, 'person')
  await index(db, 'correction', 'turn')
  await index(db, 'duel', 'left_turn')
  await index(db, 'duel', 'right_turn')
}

async function index(db: Kysely<unknown>, table: string, column: string): Promise<void> {
  await db.schema.createIndex(`${table}_by_${column}`).on(table).column(column).execute()
}

async function inbox(db: Kysely<unknown>, flavour: Flavour['name']): Promise<void> {
  await db.schema
    .createTable('inbox')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('person', 'text')
    .addColumn('event', 'text')
    .addColumn('outcome', 'text')
    .addColumn('why', 'text')
    .execute()
  await db.schema
    .createIndex('inbox_unsettled')
    .on('inbox')
    .column('seq')
    .where(sql.ref('outcome'), 'is', null)
    .execute()
  await index(db, 'inbox', 'person')
}

async function learning(db: Kysely<unknown>, flavour: Flavour['name']): Promise<void> {
  await db.schema
    .createTable('job')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute()
  // One running job a kind, whatever raced to start it.
  const running = db.schema.createIndex('job_running').unique().on('job').column('kind')
  await running.where(sql.ref('state'), '=', 'running').execute()
  await db.schema
    .createTable('serving')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('why', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('profile')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('version', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
}

async function profiles(db: Kysely<unknown>, flavour: Flavour['name']): Promise<void> {
  await db.schema.alterTable('turn').addColumn('variables', 'text').execute()
  await db.schema
    .createTable('profile_log')
    .addColumn('seq', rowNumber(flavour), (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('why', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
}

async function examples(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('turn').addColumn('scopes', 'text').execute()
  await db.schema.alterTable('turn').addColumn('examples', 'text').execute()
  const told = db.schema.createIndex('turn_told_examples').on('turn').column('seq')
  await told.where(sql.ref('examples'), 'is not', null).execute()
}

async function inference(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('turn').addColumn('output', 'text').execute()
  await db.schema.alterTable('turn').addColumn('tools', 'text').execute()
}

async function calls(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tool_call')
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('nth', 'integer', (column) => column.notNull())
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('call', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('tool_call_key', ['event', 'nth'])
    .execute()
  await index(db, 'tool_call', 'person')
}

/** What served before served all; from now on a row may be a tenant's. */
async function tenants(db: Kysely<unknown>): Promise<void> {
  const table = db.schema.alterTable('serving')
  await table.addColumn('tenant', 'text', (column) => column.notNull().defaultTo('')).execute()
  await db.schema.createIndex('serving_by_tenant').on('serving').columns(['tenant', 'seq']).execute()
}

async function wishes(db: Kysely<unknown>): Promise<void> {
  const table = db.schema.createTable('quiet')
  await table.addColumn('person', 'text', (column) => column.primaryKey().notNull()).execute()
}

async function trials(db: Kysely<unknown>): Promise<void> {
  for (const table of ['vote', 'duel']) await index(db, table, 'at')
}

async function tuning(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('profile').addColumn('made', 'text').execute()
}

async function explanations(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('turn').addColumn('explanation', 'text').execute()
}
