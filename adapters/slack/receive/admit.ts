import { z } from 'zod'

/** Which events are taken at all. */
export interface Admission {
  /** Ids of the workspaces the app is installed in; empty or absent: all that Bolt authorizes. */
  readonly teams?: readonly string[] | (() => readonly string[])
  /** Ids of organisations the app is installed in as a whole; every workspace of theirs is let in. */
  readonly enterprises?: readonly string[]
}

const deepest = 40

/** Why a body is refused, in words; undefined when it may come in. Never throws, whatever the body is. */
export function admitted(body: unknown, { teams = [], enterprises = [] }: Admission = {}): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'The body is no object.'
  const one = body as Record<string, unknown>
  if ('event' in one && (typeof one['event'] !== 'object' || one['event'] === null)) return 'The event is no object.'
  if (depthOf(body) > deepest) return 'The body is nested too deeply.'
  const known = typeof teams === 'function' ? teams() : teams
  if (known.length + enterprises.length === 0) return undefined
  const { team, enterprise } = installationOf(one)
  const welcome = (team && known.includes(team)) || (enterprise && enterprises.includes(enterprise))
  return welcome ? undefined : 'The workspace is not known here.'
}

const id = z.string().nullish().catch(undefined)
const whose = z.object({
  team_id: id,
  enterprise_id: id,
  authorizations: z
    .array(z.object({ team_id: id, enterprise_id: id }))
    .optional()
    .catch(undefined),
  team: z.object({ id }).nullish().catch(undefined),
  enterprise: z.object({ id }).nullish().catch(undefined),
  user: z.object({ team_id: id }).optional().catch(undefined),
})

/** The installation a body was sent to. An event in a shared channel may have come about in another workspace. */
function installationOf(body: Record<string, unknown>) {
  const { data } = whose.safeParse(body)
  const [installed] = data?.authorizations ?? []
  if (body['event'] !== undefined && !data?.team_id) return {}
  return {
    team: installed?.team_id ?? data?.team_id ?? data?.team?.id ?? data?.user?.team_id,
    enterprise: installed?.enterprise_id ?? data?.enterprise_id ?? data?.enterprise?.id,
  }
}

/** How deeply objects and arrays are nested; stops counting beyond what is allowed. */
function depthOf(value: unknown): number {
  let level: readonly unknown[] = [value]
  for (let depth = 0; depth <= deepest; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (level.length === 0) return depth
  }
  return deepest + 1
}
