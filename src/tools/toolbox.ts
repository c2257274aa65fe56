import { HoneError } from '../errors.ts'
import type { Inbound } from '../ports/channel.ts'
import type { Tool } from '../ports/tool.ts'
import type { ToolRule } from '../prompt/layer.ts'
import type { Profile } from '../prompt/profile.ts'
import { Inexpressible } from '../prompt/schema.ts'
import type { Backend } from '../prompt/variables.ts'
import { type Arguments, argumentsOf } from './arguments.ts'
import { httpTool } from './http.ts'
import { type AnyTool, toTool } from './langchain.ts'

/** A tool as one person may have it used. */
export interface Offer extends Arguments {
  readonly tool: Tool
  readonly rule: ToolRule
}

/** The tools that a host has; a profile says which of them are used, how, and for whom. */
export interface Toolbox {
  /** What the model may choose from for this message. */
  offers(profile: Profile, event: Inbound): readonly Offer[]
  /** @throws HoneError CONFIG for a tool that nobody supplies, or whose arguments no grammar can express */
  check(profile: Profile): void
}

/**
 * Opens a toolbox.
 *
 * @throws HoneError CONFIG when two tools have one name
 * @example const box = await openToolbox([searchTool], backend); box.offers(profile, event)
 */
export async function openToolbox(given: readonly AnyTool[], backend?: Backend): Promise<Toolbox> {
  const tools = new Map<string, Tool>()
  for (const one of given) {
    if (tools.has(one.name)) throw new HoneError('CONFIG', `Two tools are named "${one.name}".`)
    tools.set(one.name, await toTool(one))
  }

  /** How a tool that is missing could come in. */
  function supplierOf(name: string): string {
    const server = name.split('.')[0]
    const others = [...tools.keys()].filter((one) => one.startsWith(`${server}.`))
    if (others.length > 0) return `the MCP server ${server} has ${others.join(', ')}`
    return 'give it to `hone({ tools })`, name its MCP server in HONE_MCP, or say where to "post"'
  }

  function offer(name: string, rule: ToolRule): Offer {
    const tool = rule.post === undefined ? tools.get(name) : backend && httpTool(name, rule, backend)
    if (!tool) {
      const how = rule.post === undefined ? supplierOf(name) : 'set HONE_BACKEND_URL'
      throw new HoneError('CONFIG', `The profile has the tool "${name}", which nobody supplies: ${how}.`)
    }
    try {
      return { tool, rule, ...argumentsOf(tool.schema) }
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error
      const where = error.path.join('.') || 'the schema'
      throw new HoneError('CONFIG', `The arguments of the tool "${name}" are no form: at ${where}, ${error.message}.`)
    }
  }

  return {
    offers: ({ tools: rules }, { admin = false }) =>
      Object.entries(rules)
        .filter(([, rule]) => admin || rule.for === 'everybody')
        .map(([name, rule]) => offer(name, rule)),
    check({ tools: rules }) {
      for (const [name, rule] of Object.entries(rules)) offer(name, rule)
    },
  }
}
