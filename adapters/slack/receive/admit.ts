/** Which events are taken at all. */
export interface Admission {
  /** Ids of the workspaces the app is installed in; empty or absent: all that Bolt authorizes. */
  readonly teams?: readonly string[] | (() => readonly string[])
}

const deepest = 40

/** Why a body is refused, in words; undefined when it may come in. Never throws, whatever the body is. */
export function admitted(body: unknown, { teams = [] }: Admission = {}): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'The body is no object.'
  const one = body as Record<string, unknown>
  if ('event' in one && (typeof one['event'] !== 'object' || one['event'] === null)) return 'The event is no object.'
  if (depthOf(body) > deepest) return 'The body is nested too deeply.'
  const known = typeof teams === 'function' ? teams() : teams
  const team = teamIdOf(one)
  if (known.length > 0 && !(team && known.includes(team))) return 'The workspace is not known here.'
  return undefined
}

function teamIdOf(body: Record<string, unknown>): string | undefined {
  const inner = body['team'] as { id?: unknown } | null | undefined
  const team = body['team_id'] ?? inner?.id ?? (body['user'] as { team_id?: unknown } | undefined)?.team_id
  return typeof team === 'string' ? team : undefined
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
