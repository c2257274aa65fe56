import { EventEmitter } from 'node:events'
import { ownTime } from '../clock.ts'
import { createLimiter, type Limits, realLimits } from './limits.ts'
import { type ApiUser, createWorld } from './world.ts'

export interface FakeDiscordOptions {
  readonly limits?: Partial<Limits>
  /** The bot was given the privileged message content intent. */
  readonly contentIntent?: boolean
  readonly heartbeatMs?: number
  /** How long an interaction's first answer may take, and how long its token lives. */
  readonly interaction?: { readonly answerMs: number; readonly tokenMs: number }
  /** IDENTIFYs that are left today. */
  readonly identifies?: number
  readonly maxConcurrency?: number
}

/** One request of the bot. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly body: Record<string, unknown>
  readonly status: number
}

/** A press, a command or a form on its way to the bot, and what the bot answered. */
export interface Interaction {
  readonly id: string
  readonly token: string
  readonly channel: string
  readonly user: ApiUser
  /** By the clock of the fake. */
  readonly madeAt: number
  /** The message whose button was pressed. */
  readonly source?: string
  answeredAt?: number
  answer?: { readonly type: number; readonly data: Record<string, unknown> }
  /** The message that answers it, once there is one. */
  original?: string
}

/** A failure to be played to the next matching request. */
export interface Fault {
  readonly method?: string
  readonly path: RegExp
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** Do what was asked all the same: only the answer is lost. */
  readonly afterwards?: true
}

/** Everything the parts of the fake share. */
export function createState(options: FakeDiscordOptions) {
  const events = new EventEmitter().setMaxListeners(0)
  const world = createWorld()
  return {
    world,
    limiter: createLimiter({ ...realLimits, ...options.limits }),
    token: 'a-bot-token',
    application: {
      flags: options.contentIntent ? 1 << 18 : 0,
      owner: world.user('owner'),
      team: null as unknown,
    },
    contentIntent: options.contentIntent ?? false,
    heartbeatMs: options.heartbeatMs ?? 41_250,
    /** Milliseconds, for how old an interaction is. */
    now: ownTime().now,
    interaction: options.interaction ?? { answerMs: 3000, tokenMs: 15 * 60_000 },
    maxConcurrency: options.maxConcurrency ?? 1,
    identifies: { left: options.identifies ?? 1000, made: 0 },
    calls: [] as Call[],
    faults: [] as Fault[],
    /** Dispatches that come to a new session before its guilds do. */
    early: [] as (readonly [type: string, data: unknown])[],
    /** People who take no direct messages from the bot. */
    shy: new Set<string>(),
    /** Guilds that a new session is not told of until they are dispatched. */
    late: new Set<string>(),
    interactions: new Map<string, Interaction>(),
    commands: new Map<string, readonly unknown[]>(),
    typing: [] as string[],
    url: '',
    gatewayUrl: '',
    /** Tells the bot something; set by the gateway. */
    dispatch: (_event: string, _data: unknown, _guild?: string): void => {},
    /** Something changed: whoever waits for it looks again. */
    changed: () => void events.emit('changed'),
    onChange: (look: () => void) => events.on('changed', look),
    offChange: (look: () => void) => events.off('changed', look),
  }
}
export type State = ReturnType<typeof createState>
