import { setTimeout as sleep } from 'node:timers/promises'
import type { webApi } from '@slack/bolt'
import type { Logger } from '../../src/log.ts'
import { createPacer, type Pacer } from '../shared/pace.ts'

export type Client = webApi.WebClient

/**
 * What Hone allows itself per workspace. Capacity and rate together stay below what Slack's tiers promise a minute
 * (20, 50, 100), so that not even the strictest reading of them is broken, with some room for calls that
 * travel longer than others. Updates of unfinished messages have a
 * budget of their own: they never keep a finished one waiting.
 * Source: https://docs.slack.dev/apis/web-api/rate-limits
 */
const limits = {
  'agents.sessions.setStatus': { capacity: 10, perMinute: 35 },
  'assistant.threads.setStatus': { capacity: 20, perMinute: 200 },
  'assistant.threads.setSuggestedPrompts': { capacity: 5, perMinute: 12 },
  'chat.appendStream': { capacity: 10, perMinute: 75 },
  'chat.delete': { capacity: 10, perMinute: 35 },
  'chat.postEphemeral': { capacity: 15, perMinute: 80 },
  'chat.postMessage': { capacity: 4, perMinute: 50 },
  'chat.startStream': { capacity: 9, perMinute: 10 },
  'chat.stopStream': { capacity: 9, perMinute: 10 },
  'chat.update': { capacity: 10, perMinute: 20 },
  'chat.update live': { capacity: 4, perMinute: 15 },
  'conversations.replies': { capacity: 10, perMinute: 35 },
  'usergroups.users.list': { capacity: 5, perMinute: 12 },
  'views.open': { capacity: 20, perMinute: 70 },
  'views.publish': { capacity: 15, perMinute: 80 },
  'views.update': { capacity: 20, perMinute: 70 },
} as const
export type Method = keyof typeof limits

/** Where a call counts: a workspace, and for posting a channel. */
export interface Where {
  readonly team: string
  readonly channel: string
}

export interface SlackApi {
  /** Calls as soon as Slack's limits allow; what was limited all the same is called again after the pause it asks for. */
  call<T>(method: Method, where: Where, run: (client: Client) => Promise<T>): Promise<T>
  /** Calls if the limits allow it at once, else answers undefined. */
  tryCall<T>(method: Method, where: Where, run: (client: Client) => Promise<T>): Promise<T | undefined>
  /** Resolves when a call may be made: for work that would rather gather more meanwhile. */
  turn(method: Method, where: Where): Promise<void>
  /** The call whose turn was waited for. */
  now<T>(method: Method, where: Where, run: (client: Client) => Promise<T>): Promise<T>
}

export interface ApiOptions {
  readonly clientOf: (team: string) => Client
  readonly log: Logger
  readonly now?: () => number
  readonly wait?: (ms: number) => Promise<unknown>
}

const tries = 5
/** Milliseconds before what a broken connection took is called once more. */
const pauses = [500, 2000, 5000]
/** Called twice, these would say something twice: what became of a broken call is seen from what stands in Slack. */
const sayMore: ReadonlySet<Method> = new Set([
  'chat.appendStream',
  'chat.postEphemeral',
  'chat.postMessage',
  'chat.startStream',
  'chat.stopStream',
])

/** Slack's Web API, within its limits, for every workspace at once. */
export function createApi({ clientOf, log, ...clock }: ApiOptions): SlackApi {
  const pacers = new Map<Method, Pacer>()
  const pacer = (method: Method): Pacer => {
    const known = pacers.get(method) ?? createPacer({ ...limits[method], ...clock })
    pacers.set(method, known)
    return known
  }
  const key = (method: Method, { team, channel }: Where) =>
    method === 'chat.postMessage' ? `${team} ${channel}` : team

  const { wait = sleep } = clock
  /** Calls again over a broken connection, where that does no harm. */
  const persistently = async <T>(method: Method, run: () => Promise<T>): Promise<T> => {
    for (const pause of sayMore.has(method) ? [] : pauses) {
      try {
        return await run()
      } catch (error) {
        if (!isBroken(error)) throw error
        log.info('slack.again', { method, pause })
        await wait(pause)
      }
    }
    return run()
  }
  const now: SlackApi['now'] = async (method, where, run) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await persistently(method, () => run(clientOf(where.team)))
      } catch (error) {
        const seconds = retryAfter(error)
        if (seconds === undefined || attempt === tries) throw error
        log.warn('slack.limited', { method, team: where.team, seconds })
        pacer(method).pause(key(method, where), seconds * 1000)
        await pacer(method).take(key(method, where))
      }
    }
  }
  return {
    now,
    async call(method, where, run) {
      await pacer(method).take(key(method, where))
      return now(method, where, run)
    },
    async tryCall(method, where, run) {
      return pacer(method).tryTake(key(method, where)) ? now(method, where, run) : undefined
    },
    turn: (method, where) => pacer(method).take(key(method, where)),
  }
}

/** The connection broke or Slack is in trouble: nobody knows whether the call was heard. */
export function isBroken(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'slack_webapi_request_error' || code === 'slack_webapi_http_error'
}

function retryAfter(error: unknown): number | undefined {
  const { code, retryAfter: seconds } = (error ?? {}) as { code?: unknown; retryAfter?: unknown }
  return code === 'slack_webapi_rate_limited_error' && typeof seconds === 'number' ? seconds : undefined
}

/** Slack's own error code, e.g. `message_not_in_streaming_state`; undefined for anything else that was thrown. */
export function slackCode(error: unknown): string | undefined {
  const code = (error as { data?: { error?: unknown } } | null)?.data?.error
  return typeof code === 'string' ? code : undefined
}
