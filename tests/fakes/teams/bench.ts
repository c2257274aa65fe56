import { setTimeout as sleep } from 'node:timers/promises'
import { createPacer } from '../../../adapters/shared/pace.ts'
import { type Teams, type TeamsOptions, teams } from '../../../adapters/teams/index.ts'
import type { Clock } from '../../../adapters/teams/stream.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import { type FakeBot, type FakeBotOptions, fakeBot } from '../bot.ts'
import { type Chat, type ChatOptions, openChat, tenant } from './chat.ts'
import { type Connector, openConnector } from './connector.ts'
import type { Host, OpenHost } from './hosts.ts'

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
  /** Hone is given the SDK's adapter at once. */
  readonly adapter?: 'own'
  /** Gets the channel that Hone attaches to the bot. */
  readonly attached?: Bot['attach']
}

/** A clock that stands still until somebody waits, and then is where they waited for. */
export function jumpingClock(): Clock {
  let time = 0
  return {
    now: () => time,
    async wait(ms) {
      await new Promise((resolve) => setImmediate(resolve))
      time += ms
    },
  }
}

/** The same clock on which deadlines never pass. */
export function patientClock(): Clock {
  const clock = jumpingClock()
  return { now: clock.now, wait: (ms) => (ms >= 4000 ? new Promise(() => undefined) : clock.wait(ms)) }
}

/** A clock on which time passes so many times faster. */
export function fastClock(times: number): Clock {
  return { now: () => performance.now() * times, wait: (ms) => sleep(ms / times) }
}

export async function openBench(open: OpenHost, options: BenchOptions = {}): Promise<Bench> {
  const { script, store, learning, anonymous = false, clock = jumpingClock(), adapter, attached, ...rest } = options
  const connector = await openConnector({ now: clock.now, anonymous })
  const host = open(connector, { anonymous })
  const parts = { ...(script ? { script } : {}), ...(store ? { store } : {}), ...(learning ? { learning } : {}) }
  const bot: FakeBot = { ...fakeBot(parts), ...(attached ? { attach: attached } : {}) }
  const hone = teams(bot, {
    tenants: [tenant],
    issuers: [connector.issuer.name],
    serviceHosts: ['127.0.0.1'],
    serviceUrl: connector.url,
    clock,
    ...(adapter ? { adapter: host.adapter } : {}),
    pacer: createPacer({ capacity: 20, perMinute: 40 * 60, now: clock.now, wait: clock.wait }),
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
