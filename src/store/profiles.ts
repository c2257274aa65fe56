import type { ProfileMade, Profiles } from '../ports/profiles.ts'
import type { Session } from './schema.ts'

/** `forget` empties the text of what a person is behind. */
const kept = ['content', '!=', ''] as const

/** Profile versions, kept once, and the log of which one served. */
export function profiles({ db }: Session): Profiles {
  return {
    async put(name, version, content, made) {
      await db
        .insertInto('profile')
        .values({ name, version, content, at: Date.now(), made: made ? JSON.stringify(made) : null })
        .onConflict((conflict) => conflict.column('version').doNothing())
        .execute()
    },
    async get(version) {
      const found = db
        .selectFrom('profile')
        .select(['name', 'content'])
        .where('version', '=', version)
        .where(...kept)
      const row = await found.executeTakeFirst()
      return row && { ...row }
    },
    async list() {
      const all = db
        .selectFrom('profile')
        .select(['name', 'version', 'at', 'made'])
        .where(...kept)
      return (await all.orderBy('seq', 'desc').execute()).map(({ at, made, ...row }) => ({
        ...row,
        at: new Date(at),
        ...(made === null ? {} : { made: JSON.parse(made) as ProfileMade }),
      }))
    },
    async forgotten() {
      const gone = db.selectFrom('profile').select('version').where('content', '=', '')
      return (await gone.execute()).map(({ version }) => version)
    },
    async serve(entry) {
      await db
        .insertInto('profile_log')
        .values({ ...entry, at: Date.now() })
        .execute()
    },
    async log(name) {
      const columns = ['name', 'version', 'by', 'why', 'at'] as const
      const newest = db.selectFrom('profile_log').select(columns).where('name', '=', name).orderBy('seq', 'desc')
      return (await newest.execute()).map((row) => ({ ...row, at: new Date(row.at) }))
    },
  }
}
