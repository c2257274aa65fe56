import type { Messages } from '../ports/store.ts'
import { hot } from './hot.ts'
import { toTurn } from './rows.ts'
import type { Session } from './schema.ts'

const link = hot((on, row: { readonly thread: string; readonly message: string; readonly turn: string }) =>
  on
    .insertInto('message')
    .values(row)
    // A retry may edit the message in place: it then carries the new turn.
    .onConflict((conflict) => conflict.columns(['thread', 'message']).doUpdateSet({ turn: row.turn })),
)

/** Which platform message carries which turn. */
export function messages({ db, write: writeOne, writeAll }: Session): Messages {
  return {
    async link(turn, messages) {
      if (messages.length === 0) return
      const rows = new Map(messages.map(({ thread, id }) => [`${thread}\n${id}`, { thread, message: id, turn }]))
      const write = rows.size > 1 ? writeAll : writeOne
      await write(async (on) => {
        for (const row of rows.values()) await link(on, row)
      })
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
