import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, type IIdentifyThrottler, SimpleShardingStrategy, type WebSocketOptions } from 'discord.js'
import type { Logger } from '../../src/log.ts'

export interface BreakerOptions {
  readonly log: Logger
  readonly now?: () => number
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
}
type Manager = Parameters<NonNullable<WebSocketOptions['buildIdentifyThrottler']>>[0]
/** What Discord says about sessions that may still be started. */
type Gateway = Pick<Manager, 'fetchGatewayInformation'>

/** Discord lets the shards of one group identify once in five seconds. */
const spacingMs = 5000
const quick = 3
const firstPauseMs = 10_000
const longestPauseMs = 15 * 60_000
const memoryMs = 3_600_000
/** So many sessions of the day are left to people who restart by hand. */
const reserve = 20

/**
 * Slows a shard down that has to identify again and again. Discord counts IDENTIFY and resets the token of a bot that
 * does it a thousand times a day; discord.js tries again every half second.
 *
 * @see https://discord.com/developers/docs/events/gateway#identifying
 */
export async function createBreaker(gateway: Gateway, options: BreakerOptions): Promise<IIdentifyThrottler> {
  const { log, now = Date.now, wait = (ms, signal) => sleep(ms, undefined, { signal }) } = options
  const { session_start_limit: limit } = await gateway.fetchGatewayInformation()
  const history = new Map<number, readonly number[]>()
  const groups = new Map<number, { free: number; tail: Promise<unknown> }>()

  const pauseOf = (shard: number): number => {
    const recent = (history.get(shard) ?? []).filter((at) => at > now() - memoryMs)
    history.set(shard, recent)
    const last = recent.at(-1)
    if (last === undefined || recent.length < quick) return 0
    return last + Math.min(longestPauseMs, firstPauseMs * 2 ** (recent.length - quick)) - now()
  }

  /** One after the other in a group, five seconds apart. */
  async function turn(shard: number, signal: AbortSignal): Promise<void> {
    const key = shard % limit.max_concurrency
    const group = groups.get(key) ?? { free: 0, tail: Promise.resolve() }
    groups.set(key, group)
    const mine = group.tail.then(async () => {
      if (group.free > now()) await wait(group.free - now(), signal)
      signal.throwIfAborted()
      group.free = now() + spacingMs
    })
    group.tail = mine.catch(() => undefined)
    return mine
  }

  return {
    async waitForIdentify(shard, signal) {
      const pause = pauseOf(shard)
      if (pause > 0) {
        log.warn('discord.identify.slowed', { shard, seconds: Math.ceil(pause / 1000) })
        await wait(pause, signal)
      }
      const { session_start_limit: today } = await gateway.fetchGatewayInformation(true).catch(() => ({
        session_start_limit: limit,
      }))
      if (today.remaining <= Math.min(reserve, today.total / 10)) {
        log.error('discord.identify.stopped', { left: today.remaining, minutes: Math.ceil(today.reset_after / 60_000) })
        await wait(today.reset_after, signal)
      }
      await turn(shard, signal)
      history.set(shard, [...(history.get(shard) ?? []), now()])
    },
  }
}

/**
 * Connection settings for a client: the breaker, and a guard that logs a dispatch which discord.js or a listener can't
 * digest, where it would otherwise end the process.
 *
 * @example new Client({ intents, ws: gatewayOptions({ log }) })
 */
export function gatewayOptions(options: BreakerOptions): WebSocketOptions {
  const buildStrategy: WebSocketOptions['buildStrategy'] = (manager) => {
    guard(manager, 'emit', ([event, payload], error) => {
      const { data } = (payload ?? {}) as { readonly data?: Dispatch }
      options.log.error('discord.dispatch.failed', { event, type: data?.t, error })
    })
    return new SimpleShardingStrategy(manager)
  }
  guarded.add(buildStrategy)
  return { buildIdentifyThrottler: (manager) => createBreaker(manager, options), buildStrategy }
}

interface Dispatch {
  readonly t?: unknown
}
/** Marks connections that were made with {@link gatewayOptions}. */
const guarded = new WeakSet<object>()

/** The same guard for what comes before a client is ready: discord.js puts it off, and then handles it by itself. */
export function guardQueue(client: Client, log: Logger): void {
  if (!guarded.has(client.options.ws?.buildStrategy ?? {})) return
  guard(client.ws, 'handlePacket', ([packet], error) => {
    log.error('discord.dispatch.failed', { event: 'queued', type: (packet as Dispatch | undefined)?.t, error })
  })
}

/** Replaces a method by one that never throws. */
function guard(owner: object, name: string, failed: (given: readonly unknown[], error: unknown) => void): void {
  const method = Reflect.get(owner, name) as (...given: readonly unknown[]) => boolean
  Reflect.set(owner, name, (...given: readonly unknown[]): boolean => {
    try {
      return method.apply(owner, given as unknown[])
    } catch (error) {
      failed(given, error)
      return true
    }
  })
}
