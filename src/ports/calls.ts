import type { Inbound } from './channel.ts'
import type { ToolCall } from './store.ts'

/**
 * Uses of tools for messages that have no reply yet: from here they go with the reply, so what ran is on record whatever
 * becomes of it.
 */
export interface Calls {
  /** On disk once it resolves. The same `nth` again changes nothing. @throws HoneError NOT_FOUND for a forgotten event */
  keep(event: Inbound, nth: number, call: ToolCall): Promise<void>
  /** What ran for an event and no reply has, in order. */
  of(eventId: string): Promise<readonly ToolCall[]>
}
