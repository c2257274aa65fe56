import { App, type Receiver, type ReceiverEvent } from '@slack/bolt'
import { type SlackChannel, type SlackOptions, slack } from '../../../adapters/slack/index.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import { ownTime } from '../../fakes/clock.ts'
import { type FakeSlack, type FakeSlackOptions, fakeSlack } from '../../fakes/slack/index.ts'

/** A receiver that is handed payloads by hand, and says whether they were acknowledged. */
export interface Hand extends Receiver {
  give(body: object): Promise<unknown>
}

export function hand(): Hand {
  let app: { processEvent(event: ReceiverEvent): Promise<void> } | undefined
  return {
    init(bolt) {
      app = bolt
    },
    start: async () => undefined,
    stop: async () => undefined,
    async give(body) {
      let acked: unknown = 'not acknowledged'
      const ack = async (said?: unknown) => {
        acked = said ?? 'acknowledged'
      }
      await app?.processEvent({ body: body as Record<string, unknown>, ack })
      return acked
    },
  }
}

/** The real Bolt with Hone attached, against a local Slack. */
export interface Workplace extends AsyncDisposable {
  readonly slack: FakeSlack
  readonly app: App
  readonly channel: SlackChannel
  readonly give: Hand['give']
}

export async function workplace(
  bot: Bot,
  options: SlackOptions & { readonly fake?: FakeSlackOptions; readonly server?: FakeSlack } = {},
): Promise<Workplace> {
  const { fake, server: open, ...rest } = options
  const server = open ?? (await fakeSlack(fake))
  const receiver = hand()
  const app = boltApp(server, receiver)
  const channel = slack(app, bot, { admins: ['UADMIN'], ...ownTime(), ...rest })
  return {
    slack: server,
    app,
    channel,
    give: receiver.give,
    async [Symbol.asyncDispose]() {
      channel.detach()
      if (!open) await server[Symbol.asyncDispose]()
    },
  }
}

/** Bolt as `hone serve` makes it: the API's refusals come back at once instead of being retried in secret. */
export function boltApp(server: FakeSlack, receiver: Receiver): App {
  return new App({
    receiver,
    token: 'xoxb-test',
    clientOptions: { slackApiUrl: server.url, rejectRateLimitedCalls: true, retryConfig: { retries: 0 } },
    logLevel: 'error' as never,
  })
}
