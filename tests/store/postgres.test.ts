import assert from 'node:assert/strict'
import pg from 'pg'
import type { HoneError } from '../../src/errors.ts'
import { postgres } from '../../src/store/index.ts'
import { inbound, storeContract } from '../contracts/store.ts'

const url = 'postgres://postgres@127.0.0.1:5432/test'
const run = `hone_test_${process.pid}_${Date.now().toString(36)}`

const server = await connect()
if (!server) process.stdout.write('No PostgreSQL answers on 127.0.0.1:5432: the PostgreSQL store is not tested.\n')
else postgresTests(server)

async function connect(): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  try {
    await client.connect()
    return client
  } catch {
    return undefined
  }
}

function postgresTests(admin: pg.Client): void {
  describe('The PostgreSQL store', () => {
    before(() => admin.query('set client_min_messages to error'))
    after(async () => {
      await admin.query(`drop schema if exists ${run} cascade; drop schema if exists ${run}_again cascade`)
      await admin.end()
    })
    storeContract('PostgreSQL', async () => {
      const store = await postgres(url, run)
      const tables = ['message', 'vote', 'correction', 'duel', 'turn', 'prompt', 'inbox', 'job', 'serving', 'profile']
      await admin.query(tables.map((table) => `delete from ${run}.${table};`).join(' '))
      return store
    })

    it('sets the tables up once when several processes start at the same time', async () => {
      const stores = await Promise.all(Array.from({ length: 5 }, () => postgres(url, `${run}_again`)))
      const claims = await Promise.all(stores.map((store) => store.inbox.claim(inbound('e1'))))
      assert.equal(claims.filter(Boolean).length, 1)
      for (const store of stores) await store[Symbol.asyncDispose]()
    })
    it('goes on after the server dropped its connections', async () => {
      await using store = await postgres(`${url}?application_name=${run}`, run)
      await store.serving.set('v1', 'web:anna', 'test')
      const dropped = await admin.query(
        'select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1',
        [run],
      )
      assert.ok((dropped.rowCount ?? 0) > 0)
      // The first query may still meet a dead connection; it says so, and nothing is lost.
      const first = await store.serving.current().catch((error: HoneError) => error.code)
      assert.ok(first === 'v1' || first === 'NETWORK', first)
      assert.equal(await store.serving.current(), 'v1')
    })
    it('refuses a schema name that is no plain name', async () => {
      await assert.rejects(postgres(url, 'x"; drop'), { code: 'CONFIG' })
    })
    it('says CONFIG when the server knows no such database', async () => {
      await assert.rejects(postgres(url.replace('/test', '/hone_no_such_database')), { code: 'CONFIG' })
    })
    it('says NETWORK when no server answers, without the password', async () => {
      await assert.rejects(postgres('postgres://hone:hunter2@127.0.0.1:1/test'), (error: HoneError) => {
        return error.code === 'NETWORK' && !error.message.includes('hunter2')
      })
    })
  })
}
