import type { StructuredToolInterface } from '@langchain/core/tools'
import type { JsonSchema } from '../ports/engine.ts'
import type { Tool } from '../ports/tool.ts'

/** A tool of Hone's own, or any of LangChain's. */
export type AnyTool = Tool | StructuredToolInterface

/**
 * A LangChain tool as Hone's. It checks its arguments by its own schema; the use's id and place are in `metadata`.
 *
 * @example const ticket = await toTool(tool(open, { name: 'open_ticket', schema: z.object({ title: z.string() }) }))
 */
export async function toTool(given: AnyTool): Promise<Tool> {
  if (!('invoke' in given)) return given
  // Imported here: only hosts that bring such tools need it.
  const { toJsonSchema } = await import('@langchain/core/utils/json_schema')
  return {
    name: given.name,
    description: given.description,
    schema: toJsonSchema(given.schema) as JsonSchema,
    call: (asked, { id, signal, event: { person, tenant, thread } }) =>
      given.invoke(asked, { signal, metadata: { callId: id, person: person.id, tenant, thread } }),
  }
}
