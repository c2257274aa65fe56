import type { Messages } from '../ports/store.ts'
import { toTurn } from './rows.ts'
import type { Session } from './schema.ts'

/** Which platform message carries which turn. */
export function messages({ db, write }: Session): Messages {
  return {
    async link(turn, messages) {
      if (messages.length === 0) return
      // One row a message: an upsert may not meet the same row twice.
      const rows = new Map(messages.map(({ thread, id }) => [`${thread}\n${id}`, { thread, message: id, turn }]))
      await write((on) =>
        on
          .insertInto('message')
          .values([...rows.values()])
          // A retry may edit the message in place: it then carries the new turn.
          .onConflict((conflict) => conflict.columns(['thread', 'message']).doUpdateSet({ turn }))
          .execute(),
      )
    },
    async find({ thread, id }) {
      const row = await db
        .selectFrom('message')
        .innerJoin('turn', 'turn.id', 'message.turn')
        .selectAll('turn')
        .where('message.thread', '=', thread)
        .where('message.message', '=', id)
        .executeTakeFirst()
      return row && toTurn(row)
    },
  }
}
