import type { Serving } from '../ports/store.ts'
import type { Session } from './schema.ts'

/** Which version serves: a tenant's newest row; `v0`, the bare base, while the operator's own tenants have none. */
export function serving({ db }: Session): Serving {
  return {
    async current(tenant = '') {
      const rows = db.selectFrom('serving').select('version').where('tenant', '=', tenant)
      const row = await rows.orderBy('seq', 'desc').limit(1).executeTakeFirst()
      return row?.version ?? (tenant === '' ? 'v0' : '')
    },
    async set(version, by, why, tenant = '') {
      await db.insertInto('serving').values({ version, by, why, at: Date.now(), tenant }).execute()
    },
    async log(limit, tenant) {
      const newest = await db
        .selectFrom('serving')
        .select(['version', 'by', 'why', 'at', 'tenant'])
        .$if(tenant !== undefined, (query) => query.where('tenant', '=', tenant as string))
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute()
      return newest.map((row) => ({ ...row, at: new Date(row.at) }))
    },
    async tenants() {
      const guests = db.selectFrom('serving').select('tenant').distinct().where('tenant', '!=', '')
      return (await guests.orderBy('tenant').execute()).map(({ tenant }) => tenant)
    },
  }
}
