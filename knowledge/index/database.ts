import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { asHoneError, HoneError } from '../../src/errors.ts'

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLInputValue>>

/** The index file: statements are prepared once and kept. */
export interface Database {
  all<T>(sql: string, ...values: SQLInputValue[]): readonly T[]
  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined
  run(sql: string, ...values: SQLInputValue[]): number
  /** All of `work` or nothing of it. */
  transaction<T>(work: () => T): T
  close(): void
}

/** Raised when the tables change; an index of another number is made anew by the next sync. */
const schemaVersion = 1

const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL,
    title TEXT NOT NULL, url TEXT, hash TEXT NOT NULL, UNIQUE (tenant, name));
  CREATE TABLE passages (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, document INTEGER NOT NULL REFERENCES documents (id),
    tenant TEXT NOT NULL, scope TEXT NOT NULL, place INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, embed_text TEXT NOT NULL, hash TEXT NOT NULL);
  CREATE INDEX passages_document ON passages (document);
  CREATE INDEX passages_hash ON passages (hash);
  CREATE TABLE vectors (
    embedder TEXT NOT NULL, hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, hash)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5 (
    title, text, content='', contentless_delete=1, tokenize="porter unicode61 remove_diacritics 2");
`

/**
 * Opens the index file and makes it when it is new.
 *
 * @throws HoneError STORE when the file can't be opened, is damaged, or was made by a newer Hone.
 */
export function openDatabase(file: string): Database {
  try {
    const inner = new DatabaseSync(file, { timeout: 10_000 })
    inner.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON')
    const database = wrap(inner)
    const version = database.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
    if (version > schemaVersion) throw new HoneError('STORE', `${file} was made by a newer Hone. Use that one.`)
    if (version === 0) {
      database.transaction(() => inner.exec(`${schema} PRAGMA user_version = ${schemaVersion}`))
    }
    return database
  } catch (error) {
    throw asHoneError(error, 'STORE', `The knowledge index ${file} can't be opened; delete it and ingest again`)
  }
}

function wrap(inner: DatabaseSync): Database {
  const kept = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const prepared = (sql: string) => {
    const statement = kept.get(sql) ?? inner.prepare(sql)
    kept.set(sql, statement)
    return statement
  }
  return {
    all: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values) as T[],
    get: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).get(...values) as T | undefined,
    run: (sql, ...values) => Number(prepared(sql).run(...values).changes),
    transaction(work) {
      inner.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        inner.exec('COMMIT')
        return result
      } catch (error) {
        if (inner.isTransaction) inner.exec('ROLLBACK')
        throw error
      }
    },
    close: () => inner.close(),
  }
}

/** Reads a setting of the index itself. */
export function readMeta<T>(database: Database, key: string): T | undefined {
  const row = database.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)
  return row && (JSON.parse(row.value) as T)
}

/** Writes a setting of the index itself. */
export function writeMeta(database: Database, key: string, value: unknown): void {
  database.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, JSON.stringify(value))
}

/** A vector as SQLite keeps it: little-endian 32-bit floats. */
export function toBlob(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
}

/** The reverse of {@link toBlob}; copies, since SQLite's bytes need not be aligned. */
export function fromBlob(blob: Uint8Array): Float32Array {
  return new Float32Array(blob.slice().buffer)
}
