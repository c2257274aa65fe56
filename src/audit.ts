import { commandsOf } from './id.ts'
import type { Logger } from './log.ts'
import type { ThreadId } from './ports/channel.ts'
import type { CanaryNews, LiveProof } from './ports/live.ts'
import type { Store } from './ports/store.ts'

const canaryPrefix = 'canary:'

/** Somebody who waits to be told what becomes of a canary: their event in the inbox is settled then. */
export interface Waiting {
  readonly version: string
  readonly event: string
  readonly thread: ThreadId
}

export interface AuditParts {
  readonly store: Pick<Store, 'inbox'>
  readonly live: LiveProof
  /** Says something in a thread; false when nobody could be told. */
  readonly notice: (channel: string, thread: ThreadId, text: string) => Promise<boolean>
  /** The admins' channel; empty: there is none. */
  readonly to: ThreadId
  readonly log: Logger
}

/** Tells the admins' channel, and where the training was asked for, what becomes of a canary. */
export interface Audit extends AsyncDisposable {
  /** Tells them when there is something to tell, or at once where the canary has ended already. */
  wait(waiting: Waiting): Promise<void>
}

/**
 * That a place waits is on disk from the beginning of a canary until it was told the end: after a crash, the end is told at
 * the next start, as the end of a training run is.
 */
export function createAudit({ store, live, notice, to, log }: AuditParts): Audit {
  const waiting = new Map<string, Waiting>()

  async function tell({ event, thread }: Waiting, { kind, text }: Pick<CanaryNews, 'kind' | 'text'>): Promise<void> {
    // Told once, whichever finds out first; who can't be told now is told after the next start.
    if (kind === 'ended' && !waiting.delete(event)) return
    const told = await notice(thread.slice(0, thread.indexOf(':')), thread, text)
    if (told && kind === 'ended') await store.inbox.settle(event, 'answered')
  }

  /** The admins' channel waits for the end of every canary. */
  async function waitThere(version: string): Promise<void> {
    const place = { version, event: `${canaryPrefix}${version}`, thread: to }
    if (to && (await keep(place, store))) waiting.set(place.event, place)
  }

  const untold = (error: unknown) => log.warn('notice.failed', { error })

  async function heard(news: CanaryNews): Promise<void> {
    if (news.kind === 'begun') await waitThere(news.version)
    for (const one of waiting.values()) if (one.version === news.version) await tell(one, news).catch(untold)
  }

  // Of one that is on already it waits since an earlier process, unless that was killed first.
  let telling: Promise<void> = live
    .canary()
    .then((on) => on && waitThere(on.version))
    .catch(untold)
  const stop = live.on((news) => {
    telling = telling.then(() => heard(news)).catch(untold)
  })
  return {
    async wait(one) {
      // Told there anyway.
      if (one.thread === to && !one.event.startsWith(canaryPrefix)) return store.inbox.settle(one.event, 'answered')
      waiting.set(one.event, one)
      const text = await live.became(one.version)
      if (text !== undefined) await tell(one, { kind: 'ended', text })
    },
    async [Symbol.asyncDispose]() {
      stop()
      await telling
    },
  }
}

/** Keeps that a place waits, once; as nobody's event, so that no deletion of a person takes it along. */
function keep({ version, event, thread }: Waiting, { inbox }: Pick<Store, 'inbox'>): Promise<boolean> {
  const channel = thread.slice(0, thread.indexOf(':'))
  const person = { id: '', name: '' }
  const where = { channel: commandsOf(channel), tenant: channel, thread, person }
  return inbox.claim({ kind: 'message', id: event, text: version, scopes: [], at: new Date(), ...where })
}

/** The version whose end an event waits for; undefined for other events. */
export function awaitedCanary(event: string): string | undefined {
  return event.startsWith(canaryPrefix) ? event.slice(canaryPrefix.length) : undefined
}
