import { emitting } from './emitting.ts'
import { asHoneError, HoneError } from './errors.ts'
import { newId } from './id.ts'
import type { AskOptions } from './ports/bot.ts'
import type { Channel, Inbound, MessageRef, ReplyEvent } from './ports/channel.ts'
import type { BotTurn } from './ports/store.ts'
import { createQueue } from './queue.ts'
import { type Listener, type Parts, respond, retry, ShuttingDown, tell } from './respond.ts'

export const longestMessage = 8000

export interface Intake {
  attach(channel: Channel): () => void
  receive(event: Inbound): Promise<'accepted' | 'duplicate'>
  ask(text: string, options: AskOptions): AsyncIterable<ReplyEvent>
  notice(channel: string, thread: string, text: string): Promise<void>
  stop(eventId: string): void
  close(): Promise<void>
}

/** Told of every reply, for counters. Must not throw. */
export interface Meter {
  /** Messages being answered or waiting for it. */
  queue(size: number): void
  /** An answer that is over; `code` says why there is none. */
  reply(done: {
    readonly thread: string
    readonly ms: number
    readonly turns: readonly BotTurn[]
    readonly code?: string
  }): void
}

/**
 * Takes events in and answers them: claimed on disk, queued per thread, answered, delivered, settled.
 * What an earlier process acknowledged and did not finish is queued when its channel attaches.
 *
 * @param wantsDuel asked once a message; true shows two replies on channels that can.
 */
export async function createIntake(
  parts: Parts & { readonly meter?: Meter | undefined },
  wantsDuel: () => boolean,
): Promise<Intake> {
  const { store, log, meter } = parts
  const channels = new Map<string, Channel>()
  const running = new Map<string, AbortController>()
  const queue = createQueue()
  let closing = false
  // Read before anything new comes in, so that nothing is queued twice.
  const leftover = (await store.inbox.unsettled()).filter((event) => !isAsked(event))
  for (const event of await store.inbox.unsettled())
    if (isAsked(event)) await store.inbox.settle(event.id, 'given-up', 'nobody waits any more')

  function enqueue(event: Inbound, recovered = false): Promise<void> {
    const handled = queue
      .add(event.thread, () => handle(event, recovered))
      .catch((error: unknown) => log.error('event.failed', { error, event: event.id }))
      .finally(() => meter?.queue(queue.size))
    meter?.queue(queue.size)
    return handled
  }

  async function handle(event: Inbound, recovered: boolean): Promise<void> {
    const channel = channels.get(event.channel)
    if (!channel || closing) return
    const stop = new AbortController()
    const started = performance.now()
    running.set(event.id, stop)
    try {
      const how = { signal: stop.signal, duel: channel.duels === true && wantsDuel() }
      const answer = answering(event, how, recovered)
      const messages = await channel.deliver(event, answer.events).catch((error: unknown) => {
        log.error('deliver.failed', { error, event: event.id, channel: channel.name })
        return []
      })
      const { turns, failure, postponed } = await answer.outcome
      if (postponed) return
      await finish(event, turns, messages, failure)
      const ms = Math.round(performance.now() - started)
      meter?.reply({ thread: event.thread, ms, turns, ...(failure ? { code: failure.code } : {}) })
      log.info('reply.sent', {
        event: event.id,
        thread: event.thread,
        version: turns[0]?.version,
        ms,
        code: failure?.code,
      })
    } finally {
      running.delete(event.id)
    }
  }

  interface Outcome {
    readonly turns: readonly BotTurn[]
    readonly failure?: HoneError
    /** Cut short by the end of the process: the event stays in the inbox for the next one. */
    readonly postponed?: boolean
  }

  /** Starts the answer: its events for the channel, and how it ended. Neither ever throws. */
  function answering(event: Inbound, how: Pick<Listener, 'signal' | 'duel'>, recovered: boolean) {
    const outcome = Promise.withResolvers<Outcome>()
    const events = emitting<ReplyEvent>(async (emit) => {
      try {
        outcome.resolve({ turns: await replies(event, { ...how, emit }, recovered) })
      } catch (error) {
        if (error instanceof ShuttingDown) return outcome.resolve({ turns: [], postponed: true })
        const failure = asHoneError(error, 'ENGINE_FAILED', 'The reply could not be made')
        emit({ kind: 'error', code: failure.code, message: `${failure.message} ${failure.help}` })
        outcome.resolve({ turns: [], failure })
      }
    })
    return { events, outcome: outcome.promise }
  }

  /** What a crash left answered but undelivered is told again, not made again. */
  async function replies(event: Inbound, listener: Listener, recovered: boolean): Promise<readonly BotTurn[]> {
    const already = recovered ? await store.turns.answers(event.id) : []
    if (already.length > 0) {
      tell(already, listener.emit)
      return already
    }
    return event.kind === 'retry' ? retry(event, parts, listener) : respond(event, parts, listener)
  }

  async function finish(
    event: Inbound,
    turns: readonly BotTurn[],
    messages: readonly MessageRef[],
    failure?: HoneError,
  ): Promise<void> {
    // Asked for together, so that they share a commit.
    const links = messages.length > 0 ? turns.map((turn) => store.messages.link(turn.id, messages)) : []
    const settled = failure
      ? store.inbox.settle(event.id, 'given-up', failure.code)
      : store.inbox.settle(event.id, 'answered')
    await Promise.all([...links, settled])
  }

  async function claim(event: Inbound): Promise<boolean> {
    if (closing) throw new HoneError('BUSY', 'Hone is shutting down.')
    if (event.kind === 'message') checkMessage(event.text)
    return store.inbox.claim(event)
  }

  return {
    attach(channel) {
      if (channels.has(channel.name))
        throw new HoneError('CONFIG', `A channel named ${channel.name} is already attached.`)
      channels.set(channel.name, channel)
      const mine = leftover.filter((event) => event.channel === channel.name)
      if (mine.length > 0) log.info('inbox.recovered', { channel: channel.name, events: mine.length })
      for (const event of mine) {
        leftover.splice(leftover.indexOf(event), 1)
        void enqueue(event, true)
      }
      return function detach() {
        if (channels.get(channel.name) === channel) channels.delete(channel.name)
      }
    },
    async receive(event) {
      if (!(await claim(event))) return 'duplicate'
      void enqueue(event)
      return 'accepted'
    },
    /** Asks through a channel of its own, so that the question takes the same path as every other. */
    ask: (text, { thread, tenant = 'api', person, signal }) =>
      emitting<ReplyEvent>(async (emit) => {
        const id = newId('e')
        const event: Inbound = {
          kind: 'message',
          id,
          channel: `${askedPrefix}${id}`,
          tenant,
          thread: thread ?? `api:${tenant}:${newId('t')}`,
          text,
          at: new Date(),
          person: person ?? { id: 'api:someone', name: 'someone' },
          scopes: [],
        }
        await claim(event)
        signal?.addEventListener('abort', () => running.get(id)?.abort(), { once: true })
        channels.set(event.channel, {
          name: event.channel,
          async deliver(_, events) {
            for await (const said of events) emit(said)
            return []
          },
        })
        await enqueue(event).finally(() => channels.delete(event.channel))
      }),
    async notice(channel, thread, text) {
      await channels.get(channel)?.notice?.(thread, text)
    },
    stop: (eventId) => running.get(eventId)?.abort(),
    async close() {
      closing = true
      for (const stop of running.values()) stop.abort(new ShuttingDown())
      await queue.idle()
    },
  }
}

const askedPrefix = 'api-'

/** Asked by a program that is gone: nobody waits for the answer any more. */
function isAsked(event: Inbound): boolean {
  return event.channel.startsWith(askedPrefix)
}

function checkMessage(text: string): void {
  if (!text.trim()) throw new HoneError('INPUT', 'The message is empty. Write something first.')
  if (text.length > longestMessage) {
    throw new HoneError(
      'INPUT',
      `The message has ${text.length} characters; at most ${longestMessage} are read. Shorten it, or have it ingested as a document.`,
    )
  }
}
