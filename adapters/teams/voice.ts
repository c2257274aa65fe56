import type { Logger } from '../../src/log.ts'
import type { Pacer } from '../shared/pace.ts'
import { type Address, type Addresses, referenceOf } from './address.ts'
import { type Outgoing, proactively, refusalOf, type TurnContext } from './sdk.ts'
import { type Clock, firstPauseMs, meaningOf } from './stream.ts'
import { carried } from './wire.ts'

/** What it takes to say something in Teams outside of a request. */
export interface Voice {
  readonly adapter: object
  readonly app: () => string
  readonly addresses: Addresses
  readonly pacer: Pacer
  readonly clock: Clock
  readonly log: Logger
}

/** One conversation, for the time of one turn of the SDK. */
export interface Spoken {
  readonly address: Address
  /** Sends one activity and resolves with its id; rejects with the SDK's error. */
  send(activity: Outgoing): Promise<string>
  /** Sends again what Teams had no time for. */
  persist(activity: Outgoing): Promise<string>
  /** Changes a message that was sent before, with the same patience. */
  change(id: string, activity: Outgoing): Promise<void>
}

const attempts = 6

/**
 * Talks in a conversation, in a turn of its own.
 *
 * @throws the SDK's error; an `Error` for a thread that is no conversation of Teams.
 */
export async function inThread<T>(voice: Voice, thread: string, work: (spoken: Spoken) => Promise<T>): Promise<T> {
  const address = voice.addresses.find(thread)
  if (!address) throw new Error(`${thread} is no conversation of Teams.`)
  return proactively(voice.adapter, voice.app(), referenceOf(address), (context) =>
    work(spokenIn(context, address, voice)),
  )
}

function spokenIn(context: TurnContext, address: Address, { pacer, clock }: Voice): Spoken {
  async function send(activity: Outgoing): Promise<string> {
    await pacer.take(address.tenant)
    return (await context.sendActivity(carried(context, activity)))?.id ?? ''
  }
  async function patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        const refusal = refusalOf(error)
        if (attempt === attempts || meaningOf(refusal, true) !== 'later') throw error
        await clock.wait(refusal.retryAfterMs ?? firstPauseMs * 2 ** (attempt - 1))
      }
    }
  }
  return {
    address,
    send,
    persist: (activity) => patiently(() => send(activity)),
    change: (id, activity) =>
      patiently(async () => {
        await pacer.take(address.tenant)
        await context.updateActivity(carried(context, { ...activity, id }))
      }),
  }
}

/** Says something in a conversation that is no reply. Resolves with the id of the message. */
export function say(voice: Voice, thread: string, message: Outgoing): Promise<string> {
  return inThread(voice, thread, ({ persist }) => persist(message))
}

/** Changes a message that was said before. */
export function edit(voice: Voice, thread: string, id: string, message: Outgoing): Promise<void> {
  return inThread(voice, thread, ({ change }) => change(id, message))
}
