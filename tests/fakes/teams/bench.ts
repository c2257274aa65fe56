import { createPacer, type Pacer } from '../../../adapters/shared/pace.ts'
import { type Teams, type TeamsOptions, teams } from '../../../adapters/teams/index.ts'
import type { Clock } from '../../../adapters/teams/stream.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { type FakeBot, type FakeBotOptions, fakeBot } from '../bot.ts'
import { ownTime } from '../clock.ts'
import { type Chat, type ChatOptions, openChat, tenant } from './chat.ts'
import { type Connector, openConnector } from './connector.ts'
import type { Host, OpenHost } from './hosts.ts'
import { appId } from './ids.ts'

/** Bot, SDK and Teams, put together. */
export interface Bench extends AsyncDisposable {
  readonly bot: FakeBot
  readonly host: Host
  readonly hone: Teams
  readonly connector: Connector
  readonly clock: Clock
  chat(options?: ChatOptions): Chat
}

export interface BenchOptions extends FakeBotOptions, Omit<TeamsOptions, 'adapter'> {
  readonly anonymous?: boolean
}

/** A clock whose alarms a test rings. */
export interface JumpingClock extends Clock {
  /** Lets the time pass that the oldest alarm was set for; waits for one to be set. */
  ring(): Promise<void>
}

/** A clock that stands still until somebody waits, and then is where they waited for. */
export function jumpingClock(): JumpingClock {
  let time = 0
  const alarms: { readonly at: number; readonly resolve: () => void }[] = []
  let isSet = Promise.withResolvers<void>()
  return {
    alarm(ms) {
      const { promise, resolve } = Promise.withResolvers<void>()
      alarms.push({ at: time + ms, resolve })
      isSet.resolve()
      return promise
    },
    async ring() {
      await isSet.promise
      const alarm = alarms.shift() as (typeof alarms)[number]
      if (alarms.length === 0) isSet = Promise.withResolvers()
      time = Math.max(time, alarm.at)
      alarm.resolve()
    },
    now: () => time,
    async wait(ms) {
      await new Promise((resolve) => setImmediate(resolve))
      time += ms
    },
  }
}

/** A clock on which time passes so many times faster. */
export function fastClock(times: number): Clock {
  const { now, wait } = ownTime(times)
  return { now, wait, alarm: wait }
}

/** The channel of a process that has just started, in front of the same Teams. */
export function channelOn({ bot, host, connector, clock }: Bench): Channel {
  let channel: Channel | undefined
  const attach: Bot['attach'] = (given) => {
    channel = given
    return () => undefined
  }
  const there = { adapter: host.adapter, appId, serviceUrl: connector.url }
  teams({ ...bot, attach }, { ...there, clock, pacer: pacerOn(clock) })
  return channel as Channel
}

function pacerOn({ now, wait }: Clock): Pacer {
  return createPacer({ capacity: 20, perMinute: 40 * 60, now, wait })
}

export async function openBench(open: OpenHost, options: BenchOptions = {}): Promise<Bench> {
  const { script, store, learning, anonymous = false, clock = jumpingClock(), ...rest } = options
  const connector = await openConnector({ now: clock.now, anonymous })
  const host = open(connector, { anonymous })
  const parts = { ...(script ? { script } : {}), ...(store ? { store } : {}), ...(learning ? { learning } : {}) }
  const bot = fakeBot(parts)
  const hone = teams(bot, {
    tenants: [tenant],
    issuers: [connector.issuer.name],
    serviceHosts: ['127.0.0.1'],
    serviceUrl: connector.url,
    clock,
    pacer: pacerOn(clock),
    ...rest,
  })
  host.use(hone)
  return {
    bot,
    host,
    hone,
    connector,
    clock,
    chat: (how) => openChat(host, connector, how),
    async [Symbol.asyncDispose]() {
      await bot.idle()
      hone.detach()
      await connector[Symbol.asyncDispose]()
    },
  }
}
