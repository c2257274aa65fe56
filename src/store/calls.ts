import type { Calls } from '../ports/calls.ts'
import type { ToolCall } from '../ports/store.ts'
import type { Session } from './schema.ts'
import { refuseForgotten } from './turns.ts'

/** Uses of tools, by the event they were for, until a reply has them. */
export function calls(session: Session): Calls {
  const { db, writeAll } = session
  return {
    keep: ({ id, person }, nth, call) =>
      writeAll(async (on) => {
        await refuseForgotten(on, session, id)
        const row = { event: id, nth, person: person.id, call: JSON.stringify(call) }
        const kept = on.insertInto('tool_call').values(row)
        await kept.onConflict((conflict) => conflict.columns(['event', 'nth']).doNothing()).execute()
      }),
    async of(eventId) {
      const rows = db.selectFrom('tool_call').select('call').where('event', '=', eventId).orderBy('nth')
      return (await rows.execute()).map(({ call }) => JSON.parse(call) as ToolCall)
    },
  }
}
