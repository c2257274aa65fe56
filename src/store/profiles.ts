import type { Profiles } from '../ports/store.ts'
import type { Session } from './schema.ts'

/** Profile versions. Putting an older one again makes it current again; putting the current one changes nothing. */
export function profiles({ db }: Session): Profiles {
  return {
    async put(name, version, content) {
      await db.transaction().execute(async (on) => {
        const named = on.selectFrom('profile').select('version').where('name', '=', name)
        const current = await named.orderBy('seq', 'desc').limit(1).executeTakeFirst()
        if (current?.version === version) return
        await on.deleteFrom('profile').where('version', '=', version).execute()
        await on
          .insertInto('profile')
          .values({ name, version, content, at: Date.now() })
          .onConflict((conflict) => conflict.column('version').doNothing())
          .execute()
      })
    },
    async get(version) {
      const found = db.selectFrom('profile').select(['name', 'content']).where('version', '=', version)
      const row = await found.executeTakeFirst()
      return row && { ...row }
    },
    async list() {
      const newest = db.selectFrom('profile').select(['name', 'version', 'at']).orderBy('seq', 'desc')
      return (await newest.execute()).map((row) => ({ ...row, at: new Date(row.at) }))
    },
  }
}
