import type { Wishes } from '../ports/store.ts'
import { sha256 } from './hash.ts'
import type { Db, Session } from './schema.ts'

/** What people want of the bot. */
export function wishes({ db, write }: Session): Wishes {
  return {
    async receipts(person) {
      const quiet = db.selectFrom('quiet').select('person').where('person', '=', sha256(person))
      return (await quiet.executeTakeFirst()) === undefined
    },
    async setReceipts(name, wanted) {
      const person = sha256(name)
      if (wanted) return void (await write((on) => on.deleteFrom('quiet').where('person', '=', person).execute()))
      const row = (on: Db) => on.insertInto('quiet').values({ person })
      await write((on) =>
        row(on)
          .onConflict((conflict) => conflict.column('person').doNothing())
          .execute(),
      )
    },
  }
}
