import { type Listener, ShuttingDown, tell } from './answer.ts'
import { giverOf } from './cut-short.ts'
import { emitting } from './emitting.ts'
import { asHoneError, HoneError } from './errors.ts'
import { commandsOf, newId } from './id.ts'
import type { Limit } from './limit.ts'
import type { AskOptions, Bot } from './ports/bot.ts'
import type { Channel, Inbound, InboundMessage, MessageRef, ReplyEvent } from './ports/channel.ts'
import type { BotTurn } from './ports/store.ts'
import { createQueue } from './queue.ts'
import { type Parts, respond, retry } from './respond.ts'

export const longestMessage = 8000

export interface Intake {
  attach(channel: Channel): () => void
  receive(event: Inbound): Promise<'accepted' | 'duplicate'>
  ask(text: string, options: AskOptions): AsyncIterable<ReplyEvent>
  /** False when no such channel is attached, or it has no way to say something. */
  notice(channel: string, thread: string, text: string): Promise<boolean>
  tell: Bot['tell']
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
  parts: Parts & {
    readonly meter?: Meter | undefined
    readonly limit?: Limit
    /** What to tell of a command that an earlier process did not answer; empty: nothing; undefined: nothing yet. */
    readonly becameOf: (command: InboundMessage) => Promise<string | undefined>
    /** Tells the host's code what came out of replies; told again after a crash. */
    readonly announce?: (event: Inbound, turns: readonly BotTurn[]) => Promise<void>
  },
  wantsDuel: () => boolean,
): Promise<Intake> {
  const { store, log, meter, limit } = parts
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
      const announced = answer.outcome.then((ended) => parts.announce?.(event, ended.turns))
      const told = await channel.deliver(event, answer.events).catch((error: unknown) => undeliveredBy(error))
      const { turns, postponed, ...outcome } = await answer.outcome
      const undelivered = told instanceof HoneError ? told : undefined
      if (undelivered) log.error('deliver.failed', { error: undelivered, event: event.id, channel: channel.name })
      // A channel that was detached meanwhile tells it after the next start.
      if (postponed || (undelivered && channels.get(channel.name) !== channel)) return
      const failure = outcome.failure ?? undelivered
      await announced
      await finish(event, turns, told instanceof HoneError ? [] : told, failure)
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

  /** Tells the person what became of a command that a crash cut short. Who can't be told now is told at the next start. */
  function tellOf(event: InboundMessage, { notice }: Channel): Promise<void> {
    return queue
      .add(event.thread, async () => {
        const text = await parts.becameOf(event)
        if (text === undefined) return
        if (text) await notice?.(event.thread, text, giverOf(event))
        await store.inbox.settle(event.id, 'given-up', 'cut short')
        log.info('command.cut-short', { event: event.id })
      })
      .catch((error: unknown) => log.error('command.untold', { error, event: event.id }))
  }

  async function claim(event: Inbound): Promise<boolean> {
    if (closing) throw new HoneError('BUSY', 'Hone is shutting down.')
    if (event.kind === 'message') checkMessage(event.text)
    return store.inbox.claim(event)
  }

  /** What is too much is claimed all the same: sent again, it is no second question. */
  async function withinLimit(event: Inbound): Promise<void> {
    try {
      limit?.take(event.person.id, event.at)
    } catch (error) {
      await store.inbox.settle(event.id, 'given-up', 'LIMIT')
      throw error
    }
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
      const commands = leftover.filter((event) => event.channel === commandsOf(channel.name))
      for (const event of commands) {
        leftover.splice(leftover.indexOf(event), 1)
        if (event.kind === 'message') void tellOf(event, channel)
      }
      return function detach() {
        if (channels.get(channel.name) === channel) channels.delete(channel.name)
      }
    },
    async receive(event) {
      if (!(await claim(event))) return 'duplicate'
      await withinLimit(event)
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
      const told = channels.get(channel)?.notice?.(thread, text)
      await told
      return told !== undefined
    },
    tell: async (person, text, { channel, threads }) =>
      (await channels.get(channel)?.tell?.(person, text, threads)) ?? false,
    stop: (eventId) => running.get(eventId)?.abort(),
    async close() {
      closing = true
      for (const stop of running.values()) stop.abort(new ShuttingDown())
      await queue.idle()
    },
  }
}

function undeliveredBy(error: unknown): HoneError {
  return asHoneError(error, 'UNDELIVERED', 'The reply could not be shown')
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
