import type { Logger } from '../log.ts'
import type { Inbound } from '../ports/channel.ts'
import { type Profile, placeholder } from './profile.ts'

/** A host's function that supplies a variable for one turn. */
export type Resolver = (event: Inbound, signal: AbortSignal) => string | Promise<string>
export type Resolvers = Readonly<Record<string, Resolver>>

const timeoutMs = 2000
const longestValue = 500

/**
 * Resolves a profile's variables for one turn. A resolver that fails or takes over 2 s is logged and replaced by the
 * variable's default, so a slow back end never stops a reply.
 */
export async function resolveVariables(
  profile: Profile,
  event: Inbound,
  resolvers: Resolvers,
  log: Logger,
): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {
    'person.name': event.person.name,
    today: event.at.toISOString().slice(0, 10),
  }
  for (const [name, { default: fallback }] of Object.entries(profile.variables)) values[name] = fallback
  const given = Object.keys(profile.variables).filter((name) => resolvers[name])
  await Promise.all(
    given.map(async (name) => {
      try {
        const signal = AbortSignal.timeout(timeoutMs)
        values[name] = await within(Promise.resolve(resolvers[name]?.(event, signal) ?? ''), signal)
      } catch (error) {
        log.warn('variable.failed', { name, error })
      }
    }),
  )
  return values
}

function within(value: Promise<string>, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    value.then(resolve, reject)
  })
}

/**
 * Puts values in place of `{{name}}`. A value is data: it stays on one line, is at most 500 characters long, and is
 * not searched for placeholders again.
 */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(placeholder, (_, name: string) => {
    const value = String(values[name] ?? '')
      .replace(/\s+/g, ' ')
      .trim()
    return value.length > longestValue ? `${value.slice(0, longestValue)}…` : value
  })
}
