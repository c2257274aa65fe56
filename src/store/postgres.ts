import {
  CompiledQuery,
  type Dialect,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import pg from 'pg'
import { HoneError } from '../errors.ts'
import type { Store } from '../ports/store.ts'
import { guard } from './border.ts'
import { open } from './open.ts'
import type { Flavour } from './schema.ts'

const CONNECT_TIMEOUT_MS = 10_000
const INT8 = 20
const NUMERIC = 1700

/**
 * A store in PostgreSQL (14 or newer), in a schema of its own, made if it isn't there.
 *
 * @param url e.g. `postgres://hone:secret@db.internal/hone`; the password never appears in an error.
 * @throws HoneError NETWORK when the server can't be reached, CONFIG when it refuses the user or the schema's name.
 * @example await using store = await postgres('postgres://127.0.0.1/hone')
 */
export async function postgres(url: string, schema = 'hone'): Promise<Store> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new HoneError('CONFIG', `"${schema}" is no name for a PostgreSQL schema: use a-z, 0-9 and _.`)
  }
  return open(dialect(url, schema), flavour, schema)
}

const flavour: Flavour = {
  name: 'postgres',
  // The server shares its waits for the disk among connections by itself.
  writers: (db) => ({ write: (work) => work(db), writeAll: (work) => db.transaction().execute(work) }),
  async alone(transaction) {
    // In the order in which other transactions touch the tables: so nobody waits in a circle.
    await sql`lock table inbox, vote, correction, duel, message, prompt, turn, tool_call in exclusive mode`.execute(
      transaction,
    )
  },
  // Dead rows, the server's log and backups are the server's own: autovacuum and its settings decide.
  scrub: async () => {},
}

function dialect(url: string, schema: string): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => guard(new PostgresDriver({ pool: pool(url), onCreateConnection: settle(schema) }), convert),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

function settle(schema: string): PostgresDriverHook {
  return async (connection) => {
    await connection.executeQuery(CompiledQuery.raw(`set search_path to "${schema}"`))
    // A server may be set to acknowledge early; what Hone acknowledged must be on its disk.
    await connection.executeQuery(CompiledQuery.raw('set synchronous_commit to on'))
  }
}
type PostgresDriverHook = NonNullable<ConstructorParameters<typeof PostgresDriver>[0]['onCreateConnection']>

function pool(url: string): pg.Pool {
  const types = {
    // 64-bit numbers arrive as text by default; ours are times, counts and row numbers, all below 2^53.
    getTypeParser: ((oid: number, format?: 'text') =>
      oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  }
  const made = new pg.Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, types })
  // An idle connection that breaks is dropped by the pool; unhandled, its event would end the process.
  made.on('error', () => {})
  return made
}

/** SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html; codes of Node for the network. */
function convert(cause: unknown): HoneError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (code === '53100') return new HoneError('DISK_FULL', 'The disk of the PostgreSQL server is full.', { cause })
  if (code === '23503') return new HoneError('NOT_FOUND', 'The turn this refers to is not in the store.', { cause })
  if (code === '40P01' || code === '55P03') return new HoneError('BUSY', `PostgreSQL is busy: ${reason}`, { cause })
  if (/^(28|3D)/.test(code)) return new HoneError('CONFIG', `PostgreSQL refused the connection: ${reason}`, { cause })
  if (/^(E[A-Z]+|08...|57P..)$/.test(code) || /connection|timeout/i.test(reason)) {
    return new HoneError('NETWORK', `The connection to PostgreSQL failed: ${reason || code}`, { cause })
  }
  return new HoneError('STORE', `PostgreSQL failed: ${reason}`, { cause })
}
