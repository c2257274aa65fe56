import type { Receiver, ReceiverEvent } from '@slack/bolt'
import { type Admission, admitted } from './admit.ts'

/** How a listener tells the receiver that an event is on disk, or could not be put there. */
export interface Keeping {
  kept(): void
  failed(error: unknown): void
}

const property = 'honeKeeping'

/** The receiver's ear, where this event came through one of Hone's receivers. */
export function keepingOf(context: Readonly<Record<string, unknown>>): Keeping | undefined {
  return context[property] as Keeping | undefined
}

/** What of a Bolt app a receiver needs. */
export interface Processing {
  processEvent(event: ReceiverEvent): Promise<void>
}

/**
 * Hands an event to the app and acknowledges it once it is kept. Bolt acknowledges events before any listener ran;
 * here its acknowledgement is held back until Hone has the event on disk, or until every listener has passed on it.
 * Interactions and commands are acknowledged by their listeners, as always.
 *
 * @throws when the event could not be kept: then it is not acknowledged, and Slack sends it again.
 */
export async function processKept(app: Processing, event: ReceiverEvent): Promise<void> {
  if (event.body['event'] === undefined) return app.processEvent(event)
  const kept = Promise.withResolvers<void>()
  const keeping: Keeping = { kept: kept.resolve, failed: kept.reject }
  const held = {
    ...event,
    customProperties: { ...event.customProperties, [property]: keeping },
    ack: async () => undefined,
  }
  const processed = app.processEvent(held)
  // Whoever comes first; the other one's failure is the host's own and told by Bolt.
  processed.then(kept.resolve, kept.reject)
  await kept.promise
  await event.ack()
  await processed
}

/**
 * Makes any Bolt receiver safe: an event is on disk before it is acknowledged, and what is no event of an expected
 * workspace never reaches the app.
 *
 * @example const app = new App({ token, receiver: durable(new SocketModeReceiver({ appToken })) })
 */
export function durable(receiver: Receiver, admission: Admission = {}): Receiver {
  return {
    init(app) {
      const processing: Processing = {
        async processEvent(event) {
          const refusal = admitted(event.body, admission)
          if (refusal) return event.ack()
          await processKept(app, event)
        },
      }
      // Receivers use nothing else of the app.
      receiver.init(processing as unknown as Parameters<Receiver['init']>[0])
    },
    start: (...options) => receiver.start(...options),
    stop: (...options) => receiver.stop(...options),
  }
}
