import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Inbound } from '../ports/channel.ts'
import { placeholder, type Variable } from './layer.ts'
import { type Profile, usedVariables } from './profile.ts'
import { readValue } from './value.ts'

/** A host's function that supplies a variable for one turn. What doesn't fit the variable's type counts as a failure. */
export type Resolver = (event: Inbound, signal: AbortSignal) => unknown
export type Resolvers = Readonly<Record<string, Resolver>>

/** What is sent to a back end: JSON, and an id that is the same when the same is sent again. */
export interface Posted {
  readonly json: unknown
  readonly id: string
}

/**
 * Reads a path at the host's back end, or posts to it, and answers the JSON (or the text) that comes back. Throws when it
 * can't.
 */
export type Backend = (path: string, signal: AbortSignal, posted?: Posted) => Promise<unknown>

/** Values by the names that a profile's texts use. */
export type Values = Readonly<Record<string, string>>
export type Resolve = (profile: Profile, event: Inbound) => Promise<Values>

export interface VariableParts {
  /** Functions go before `from`: a host may always answer itself. */
  readonly resolvers: Resolvers
  readonly backend?: Backend | undefined
  readonly log: Logger
  readonly now?: () => number
}

interface Kept {
  readonly until: number
  readonly value: Promise<unknown>
}
const mostKept = 1000

/**
 * Makes what resolves the variables of a turn: those that the profile uses, all at once, each within its timeout. One
 * that fails, hangs or doesn't fit its type is logged without its value and replaced by its default.
 *
 * A path is asked once a turn however many variables come from it, and not again for `cacheSeconds`. A function's
 * answer is kept per tenant and person. Failures are never kept.
 *
 * @throws HoneError VARIABLE (when resolving) for a variable without default: no reply is better than a wrong one.
 * @example const resolve = createResolve({ resolvers: { 'customer.plan': () => 'team' }, log })
 */
export function createResolve({ resolvers, backend, log, now = Date.now }: VariableParts): Resolve {
  const cache = new Map<string, Kept>()

  function remember(key: string, cacheSeconds: number, read: () => Promise<unknown>): Promise<unknown> {
    const known = cache.get(key)
    if (known && known.until > now()) return known.value
    const value = read()
    if (cacheSeconds === 0) return value
    cache.delete(key)
    cache.set(key, { until: now() + 1000 * cacheSeconds, value })
    value.catch(() => cache.delete(key))
    const [oldest] = cache.keys()
    if (cache.size > mostKept && oldest !== undefined) cache.delete(oldest)
    return value
  }

  return async function resolve(profile, event) {
    const asked = new Map<string, Promise<unknown>>()
    const { tenant, person } = event

    /** Undefined: nobody supplies this variable, so its default is its value. */
    function source(name: string, variable: Variable, signal: AbortSignal): Promise<unknown> | undefined {
      const { from, cacheSeconds } = variable
      const own = Object.hasOwn(resolvers, name) ? resolvers[name] : undefined
      if (own) {
        const key = JSON.stringify([name, tenant, person.id])
        return remember(key, cacheSeconds, async () => own(event, signal))
      }
      if (from === undefined || !backend) return undefined
      const path = fillPath(from, event)
      const reading = asked.get(path) ?? remember(path, cacheSeconds, () => backend(path, signal))
      asked.set(path, reading)
      return reading.then((answer) => pick(answer, variable.pick))
    }

    async function one(name: string, variable: Variable): Promise<string> {
      try {
        const signal = AbortSignal.timeout(variable.timeoutMs)
        const raw = await within(source(name, variable, signal), signal)
        if (raw !== undefined) return readValue(variable, raw)
      } catch (error) {
        log.warn('variable.failed', { name, error })
        if (variable.required) throw missing(name, error)
      }
      if (variable.default === undefined) throw missing(name)
      return readValue(variable, variable.default)
    }

    const known: Record<string, unknown> = { 'person.name': person.name, today: event.at }
    const names = Object.entries(usedVariables(profile)).map(async ([name, kind]) => {
      const variable = profile.variables[name]
      return [name, variable ? await one(name, variable) : readValue(kind, known[name])] as const
    })
    return Object.fromEntries(await Promise.all(names))
  }
}

function missing(name: string, cause?: unknown): HoneError {
  return new HoneError('VARIABLE', `What is needed to answer can't be looked up right now (${name}).`, { cause })
}

/** Resolves with the work, or rejects once the signal says so: a host's function may never come back. */
function within(work: Promise<unknown> | undefined, signal: AbortSignal): Promise<unknown> {
  if (!work) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** The value at `contract.ends` of an answer; the answer itself without a path. */
function pick(raw: unknown, path: string | undefined): unknown {
  let value = raw
  for (const step of path?.split('.') ?? []) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      throw new Error(`The answer has no "${path}".`)
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

/** A path with the turn's own names filled in; each stays one segment, whatever it holds. */
export function fillPath(from: string, { person, tenant, channel, thread, at }: Inbound): string {
  const known: Values = {
    ...{ 'person.id': person.id, 'person.name': person.name, tenant, channel, thread },
    today: readValue({ type: 'date' }, at),
  }
  return from.replace(placeholder, (_, name: string) => {
    const value = known[name] ?? ''
    if (/^\.*$/.test(value)) throw new Error(`A path can't be made with this ${name}.`)
    return encodeURIComponent(value.toWellFormed())
  })
}
