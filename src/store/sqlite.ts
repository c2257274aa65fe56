import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type Dialect,
  type Driver,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteStatement,
  sql,
} from 'kysely'
import { HoneError } from '../errors.ts'
import type { Store } from '../ports/store.ts'
import { batched } from './batch.ts'
import { guard } from './border.ts'
import { open } from './open.ts'
import type { Db, Flavour } from './schema.ts'

/** How long a writer of another process is waited for. */
const BUSY_TIMEOUT_MS = 5000

/**
 * A store in one SQLite file (`:memory:` for tests), made if it isn't there. Every acknowledged write is on disk.
 *
 * @throws HoneError STORE when the file can't be used; a damaged file is left as it is.
 * @example await using store = await sqlite('.hone/hone.db')
 */
export async function sqlite(path: string): Promise<Store> {
  return storeIn(openFile(path), path)
}

/** A store in a database that is open already; `path` is for messages. The store closes it. */
export function storeIn(database: DatabaseSync, path: string): Promise<Store> {
  return open(dialect(database, path), flavour)
}

function openFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    // FULL: a commit is on disk before it is acknowledged, power cuts included. secure_delete: deleted text is zeroed.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on')
    return database
  } catch (error) {
    database?.close()
    throw convert(path)(error)
  }
}

const flavour: Flavour = {
  name: 'sqlite',
  writers(db) {
    const write = batched(db)
    return { write, writeAll: write }
  },
  // Each transaction begins as a writer, and there is only ever one.
  alone: async () => {},
  async scrub(db) {
    // secure_delete has zeroed the text; it is in the files until the log is folded in. VACUUM then rewrites pages
    // that once held a piece of it, and needs as much free space as the database has.
    await foldLog(db)
    await sql`vacuum`.execute(db)
    await foldLog(db)
  },
}

async function foldLog(db: Db): Promise<void> {
  const { rows } = await sql<{ readonly busy: number }>`pragma wal_checkpoint(truncate)`.execute(db)
  if (rows[0]?.busy) throw new HoneError('BUSY', 'The rows are deleted, but a reader keeps the database’s log in use.')
}

function dialect(database: DatabaseSync, path: string): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => driver(database, path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** SQLite can roll back table changes; with this a migration is one transaction, and concurrent starts take turns. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

function driver(database: DatabaseSync, path: string): Driver {
  const inner: Driver = new SqliteDriver({ database: statements(database) })
  inner.beginTransaction = async function beginAsWriter(connection) {
    // A reader that turns writer halfway can fail at once with SQLITE_BUSY; one that begins as a writer waits.
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
  inner.rollbackTransaction = async function rollback(connection) {
    // SQLite itself rolls back on a full disk or an I/O error.
    if (database.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }
  return guard(inner, convert(path))
}

/** More than Hone has; lists of ids of every length must not pile up. */
const KEPT_STATEMENTS = 200

/**
 * `node:sqlite` in the shape that Kysely's SQLite driver expects. Prepared statements are kept: preparing them anew
 * took a third of the time of a write.
 */
function statements(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>()
  return {
    close: () => database.close(),
    prepare(text) {
      const found = kept.get(text)
      if (found) return found
      const made = toStatement(database.prepare(text))
      if (kept.size >= KEPT_STATEMENTS) kept.clear()
      kept.set(text, made)
      return made
    },
  }
}

function toStatement(statement: StatementSync): SqliteStatement {
  const values = (parameters: readonly unknown[]) => parameters as (string | number | null)[]
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  }
}

/** Result codes, https://www.sqlite.org/rescode.html */
const FOREIGN_KEY = 787
/** The shared-memory file can't grow: what a disk without one free block gives at opening. */
const NO_SHARED_MEMORY = 4874
const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26

function convert(path: string) {
  return (cause: unknown): HoneError => {
    const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) : 0
    const reason = cause instanceof Error ? cause.message : String(cause)
    const primary = code & 0xff
    if (primary === FULL || code === NO_SHARED_MEMORY)
      return new HoneError('DISK_FULL', `The disk that holds ${path} is full.`, { cause })
    if (code === FOREIGN_KEY)
      return new HoneError('NOT_FOUND', 'The turn this refers to is not in the store.', { cause })
    if (primary === BUSY) return new HoneError('BUSY', `Another program kept ${path} locked.`, { cause })
    if (primary === CORRUPT || primary === NOT_A_DATABASE) {
      const message = `${path} is damaged or no database (${reason}). It was left as it is: put a copy in its place.`
      return new HoneError('STORE', message, { cause })
    }
    return new HoneError('STORE', `The store ${path} failed: ${reason}`, { cause })
  }
}
