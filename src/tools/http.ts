import type { Tool } from '../ports/tool.ts'
import type { ToolRule } from '../prompt/layer.ts'
import { formOf } from '../prompt/output.ts'
import { type Backend, fillPath } from '../prompt/variables.ts'

/**
 * A tool that a profile declares itself: its arguments are posted as JSON to a path at the host's back end, with the
 * use's id as `idempotency-key`.
 */
export function httpTool(
  name: string,
  { post = '', arguments: given = {}, description }: ToolRule,
  backend: Backend,
): Tool {
  return {
    name,
    description: description ?? name,
    schema: formOf(given),
    call: async (asked, { event, id, signal }) => backend(fillPath(post, event), signal, { json: asked, id }),
  }
}
