import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, SqliteAdapter, SqliteDriver, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { hot } from '../../src/store/hot.ts'
import type { Db, Tables } from '../../src/store/schema.ts'

/** A database of one table that keeps the statements it was given. */
function recording(): { readonly db: Db; readonly ran: { sql: string; parameters: readonly unknown[] }[] } {
  const file = new DatabaseSync(':memory:')
  file.exec('create table prompt (hash text primary key, messages text)')
  const ran: { sql: string; parameters: readonly unknown[] }[] = []
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (of) => new SqliteIntrospector(of),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createDriver: () =>
        new SqliteDriver({
          database: {
            close: () => file.close(),
            prepare(text) {
              const statement = file.prepare(text)
              const keep = (parameters: readonly unknown[]) => {
                ran.push({ sql: text, parameters })
                return parameters as string[]
              }
              return {
                reader: statement.columns().length > 0,
                all: (parameters) => statement.all(...keep(parameters)),
                run: (parameters) => statement.run(...keep(parameters)),
                iterate: (parameters) => statement.iterate(...keep(parameters)),
              }
            },
          },
        }),
    },
  })
  return { db, ran }
}

describe('a hot query', () => {
  it('is built once for a database and a set of columns, and takes other values each time', async () => {
    const { db, ran } = recording()
    let built = 0
    const keep = hot((on, row: { readonly hash: string; readonly messages: string }) => {
      built += 1
      return on.insertInto('prompt').values(row).returning('hash')
    })
    assert.equal((await keep(db, { hash: 'a', messages: '1' }))[0]?.hash, 'a')
    assert.equal((await keep(db, { messages: '2', hash: 'b' }))[0]?.hash, 'b')
    await db.transaction().execute((on) => keep(on, { hash: 'c', messages: '3' }))
    assert.equal(built, 2, 'once in each order of the columns')
    const inserted = ran.filter(({ sql }) => sql.startsWith('insert')).map(({ parameters }) => parameters)
    assert.deepEqual(inserted, [
      ['a', '1'],
      ['2', 'b'],
      ['c', '3'],
    ])
    await keep(recording().db, { hash: 'a', messages: '1' })
    assert.equal(built, 3)
    await db.destroy()
  })
})
