import type { Inbound } from '../ports/channel.ts'
import type { Inbox } from '../ports/store.ts'
import { sha256 } from './hash.ts'
import { hot } from './hot.ts'
import type { Session } from './schema.ts'

type Outcome = Parameters<Inbox['settle']>[1]

const claim = hot((on, row: { readonly id: string; readonly person: string; readonly event: string }) =>
  on
    .insertInto('inbox')
    .values({ ...row, outcome: null, why: null })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id'),
)

const settle = hot(
  (on, { id, outcome, why }: { readonly id: string; readonly outcome: Outcome; readonly why: string | null }) =>
    on.updateTable('inbox').set({ outcome, why, event: null }).where('id', '=', id).where('outcome', 'is', null),
)

/** What is settled or forgotten stays so. */
const amend = hot((on, { id, event }: { readonly id: string; readonly event: string }) =>
  on
    .updateTable('inbox')
    .set({ event })
    .where('id', '=', id)
    .where('outcome', 'is', null)
    .where('event', 'is not', null),
)

/** Events on disk, once per id for ever. Their content goes as soon as they are settled; the hash of the id stays. */
export function inbox({ db, write }: Session): Inbox {
  return {
    async claim(event) {
      const row = { id: sha256(event.id), person: event.person.id, event: JSON.stringify(event) }
      return (await write((on) => claim(on, row))).length > 0
    },
    async amend(event) {
      await write((on) => amend(on, { id: sha256(event.id), event: JSON.stringify(event) }))
    },
    async settle(eventId, outcome, why) {
      await write((on) => settle(on, { id: sha256(eventId), outcome, why: why ?? null }))
    },
    async unsettled() {
      const rows = await db
        .selectFrom('inbox')
        .select('event')
        .where('outcome', 'is', null)
        .where('event', 'is not', null)
        .orderBy('seq')
        .execute()
      return rows.map((row) => revive(row.event as string))
    },
  }
}

function revive(json: string): Inbound {
  const event = JSON.parse(json) as Omit<Inbound, 'at'> & { readonly at: string }
  return { ...event, at: new Date(event.at) } as Inbound
}
