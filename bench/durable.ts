import { DatabaseSync } from 'node:sqlite'

/** The least that a handler does which loses nothing: a message on disk before it is answered, its reply before it is told. */
export interface Durable extends Disposable {
  answer(id: string, text: string, reply: (text: string) => Promise<string>): Promise<string>
}

/**
 * Two plain statements a turn on SQLite, nothing between them and the driver; as in Hone's own store, writes of one turn
 * of the event loop share a commit.
 *
 * @example using durable = openDurable('/tmp/floor.db'); await durable.answer('e1', 'Hello', async () => 'Hi')
 */
export function openDurable(path: string): Durable {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = full')
  database.exec('create table turn (id text primary key, text text not null, reply text) strict')
  const ask = database.prepare('insert into turn (id, text) values (?, ?)')
  const tell = database.prepare('update turn set reply = ? where id = ?')
  let waiting: { readonly run: () => void; readonly done: () => void }[] = []

  function flush(): void {
    const batch = waiting
    waiting = []
    database.exec('begin')
    for (const { run } of batch) run()
    database.exec('commit')
    for (const { done } of batch) done()
  }
  function write(run: () => void): Promise<void> {
    return new Promise((done) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ run, done })
    })
  }
  return {
    async answer(id, text, reply) {
      await write(() => ask.run(id, text))
      const said = await reply(text)
      await write(() => tell.run(said, id))
      return said
    },
    [Symbol.dispose]: () => database.close(),
  }
}
