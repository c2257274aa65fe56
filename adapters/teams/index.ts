import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Inbound, TurnId } from '../../src/ports/channel.ts'
import { createPacer, type Pacer } from '../shared/pace.ts'
import { addressOf, createAddresses, tenantsOf } from './address.ts'
import { createCommands } from './commands.ts'
import { teamsChannel } from './deliver.ts'
import { type Desk, handle } from './handle.ts'
import { keepObserved, linkSent, type Observed } from './observe.ts'
import { parse } from './parse.ts'
import { type Place, personId, placeOf } from './place.ts'
import type { Look } from './render.ts'
import { type Activity, claimsOf, isReadable, type TurnContext } from './sdk.ts'
import type { Clock } from './stream.ts'
import { distrust, isAmong, stranger, type Trust } from './trust.ts'

export { type EndpointOptions, endpoint, fetchEndpoint } from './endpoint.ts'
export { type Observed, withFeedback } from './observe.ts'

export interface TeamsOptions extends Trust, Partial<Look> {
  /** `answer`: Hone answers. `observe`: the host does, and Hone adds thumbs and learns from them. */
  readonly mode?: 'answer' | 'observe'
  /** The SDK's adapter. With it, what a crash left unanswered is answered at once, not after the first new activity. */
  readonly adapter?: object
  /** The bot's app id; without it, it is read from the tokens that come in. */
  readonly appId?: string
  /** Entra object ids of the people who may train, promote and roll back. */
  readonly admins?: readonly string[]
  readonly log?: Logger
  /** Endpoint for conversations of which only the id is known; sovereign clouds have their own. */
  readonly serviceUrl?: string
  readonly clock?: Clock
  readonly pacer?: Pacer
}

/** Hone in an SDK's pipeline. */
export interface Teams {
  onTurn(context: TurnContext, next: () => Promise<void>): Promise<void>
  /** Keeps an answer of the host's own model as a turn; give the turn to `withFeedback`. */
  observe(context: TurnContext, observed: Observed): Promise<TurnId>
  /** From now on everything goes to the host. */
  detach(): void
}

const realClock: Clock = {
  now: () => performance.now(),
  wait: (ms) => sleep(ms),
  alarm: (ms) => sleep(ms, undefined, { ref: false }),
}

/** Teams allows a bot 50 calls a second in a tenant. */
const perTenant = { capacity: 20, perMinute: 40 * 60 }

/**
 * Hone for Microsoft Teams: a middleware for botbuilder's `CloudAdapter` and for that of `@microsoft/agents-hosting`.
 * What is not for Hone goes on to the host's own handlers; nothing is ever thrown into them.
 *
 * @example adapter.use(teams(bot))
 */
export function teams(bot: Bot, options: TeamsOptions = {}): Teams {
  const { log = silent, mode = 'answer', admins = [], adapter } = options
  let detached = false
  let app = options.appId
  let attached: { readonly desk: Desk; readonly detach: () => void } | undefined

  /** The adapter is known from the first turn on; only then can anything be said. */
  const attach = (to: object): Desk => {
    if (attached) return attached.desk
    const addresses = createAddresses(() => app ?? '', options.serviceUrl)
    const clock = options.clock ?? realClock
    const voice = { adapter: to, app: () => app ?? '', addresses, clock, log }
    const paced = { ...voice, pacer: options.pacer ?? createPacer(perTenant) }
    const { sensitivity, feedback = 'default' } = options
    const look = { feedback, ...(sensitivity ? { sensitivity } : {}) }
    const isAdmin = ({ person, address }: Place): boolean =>
      isAmong(
        admins.map((id) => personId(address.tenant, id)),
        person.id,
      )
    const desk = { ...paced, bot, mode, isAdmin, commands: createCommands({ ...paced, bot, isAdmin }) }
    const keep = (event: Inbound, begun: readonly string[]) => bot.store.inbox.amend({ ...event, begun })
    const channel = bot.attach(teamsChannel({ ...paced, look, keep, stop: (event) => bot.stop(event) }))
    const detach = (): void => {
      channel()
      desk.commands.detach()
    }
    attached = { desk, detach }
    return desk
  }

  async function turn(context: TurnContext, next: () => Promise<void>): Promise<void> {
    const activity = context.activity as Activity
    const address = activity.channelId === 'msteams' ? addressOf(activity) : undefined
    if (!address || !['message', 'invoke'].includes(activity.type)) return next()
    const claims = claimsOf(context)
    const reason = distrust(claims, address, options)
    if (reason) return refuse(context, reason)
    const tenant = stranger(options, tenantsOf(activity))
    if (tenant) {
      log.warn('teams.tenant.refused', { tenant })
      return next()
    }
    app ??= claims.audience
    const desk = attach(context.adapter)
    desk.addresses.learn(address)
    const incoming = parse(activity)
    if (!incoming || !(await handle(incoming, { context, activity, address }, desk))) await next()
  }

  /** Such an activity reaches nobody, the host's own handlers included. */
  async function refuse(context: TurnContext, reason: string): Promise<void> {
    const { type } = context.activity as Activity
    log.warn('teams.refused', { reason })
    if (type === 'invoke') await context.sendActivity({ type: 'invokeResponse', value: { status: 401 } })
  }

  if (adapter) attach(adapter)
  if (!options.tenants) log.warn('teams.tenants.open', { help: 'Name the tenants that may talk to the bot.' })
  return {
    async onTurn(context, next) {
      if (detached || !isReadable(context.activity as Activity)) return next()
      const address = addressOf(context.activity as Activity)
      if (address) linkSent(context, address, bot)
      return turn(context, next)
    },
    async observe(context, observed) {
      const { address, person, event } = placeOf(context.activity as Activity)
      return keepObserved(observed, { address, person: person.id, event }, bot)
    },
    detach() {
      detached = true
      attached?.detach()
    },
  }
}
