import type { Serving } from '../ports/store.ts'
import type { Session } from './schema.ts'

/** Which version serves: the newest row; `v0`, the bare base, while there is none. */
export function serving({ db }: Session): Serving {
  return {
    async current() {
      const row = await db.selectFrom('serving').select('version').orderBy('seq', 'desc').limit(1).executeTakeFirst()
      return row?.version ?? 'v0'
    },
    async set(version, by, why) {
      await db.insertInto('serving').values({ version, by, why, at: Date.now() }).execute()
    },
    async log(limit) {
      const newest = db.selectFrom('serving').select(['version', 'by', 'why', 'at']).orderBy('seq', 'desc').limit(limit)
      return (await newest.execute()).map((row) => ({ ...row, at: new Date(row.at) }))
    },
  }
}
