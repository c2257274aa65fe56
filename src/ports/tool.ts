import type { Inbound } from './channel.ts'
import type { JsonSchema } from './engine.ts'

/** One use of a tool. */
export interface ToolUse {
  /** Whose message it is for, and where it was said. */
  readonly event: Inbound
  /** The same for the same use, after a crash too: a back end can tell by it that it has done this already. */
  readonly id: string
  /** Aborted when the tool's time is over, or when the person stops the reply. */
  readonly signal: AbortSignal
}

/** Something that the model may have done for it: a look-up, or a change in a back end. */
export interface Tool {
  readonly name: string
  /** What it is good for; the model reads it. */
  readonly description: string
  /** JSON Schema of its arguments, an object. */
  readonly schema: JsonSchema
  /** Answers what the model is to be told; whatever it throws is told as a failure. */
  call(given: Readonly<Record<string, unknown>>, use: ToolUse): Promise<unknown>
}
