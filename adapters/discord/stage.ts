import { setTimeout as sleep } from 'node:timers/promises'
import { HoneError } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { Inbound, MessageRef } from '../../src/ports/channel.ts'
import type { Closed } from './recent.ts'
import { type Body, type Draft, renderDraft } from './render.ts'
import type { Deferred, Surface } from './surface.ts'
import { type Trouble, troubleOf } from './trouble.ts'

export interface StageOptions {
  readonly closed: Closed
  readonly log: Logger
  /** Interactions that wait for their answer, by event; they can be answered even where the bot may not write. */
  readonly deferred: ReadonlyMap<string, Deferred>
  /** Aborted when the channel is detached: then nobody waits for better times. */
  readonly signal: AbortSignal
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>
}

const typingMs = 8000
/** What comes at once needs no announcement. */
const patientMs = 250
/** Waits between the tries to show the end of a reply: about ten minutes in all. */
const patience = [1, 2, 4, 8, 15, 30, 60, 60, 120, 300].map((seconds) => seconds * 1000)

/** Shows that something is coming, until there is something. */
export function keepTyping(surface: Surface, { closed, wait = pause }: StageOptions): { stop(): void } {
  const { channel } = surface
  const stopped = new AbortController()
  const keep = async () => {
    await wait(patientMs, stopped.signal)
    while (!stopped.signal.aborted && !closed.has(channel)) {
      await surface.typing()
      await wait(typingMs, stopped.signal)
    }
  }
  // Nobody misses it where it fails.
  keep().catch((error: unknown) => closed.note(channel, error))
  return { stop: () => stopped.abort() }
}

function pause(ms: number, signal?: AbortSignal): Promise<unknown> {
  return sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}

/** The messages of one reply: always the newest state, at the pace that is allowed. */
export function createStage(event: Inbound, surface: Surface, options: StageOptions) {
  const { closed, log, wait = pause, deferred, signal } = options
  const { channel } = surface
  const shown: { readonly id: string; readonly key: string }[] = []
  /** Messages that Discord lets nobody change any more; others take their place. */
  const stale: string[] = []
  /** How often the reply was begun anew. */
  let round = 0
  const ended = new AbortController()
  let wake = Promise.withResolvers<void>()
  /** Set when nothing more can be shown: the message was deleted, or the channel is closed to us. */
  let over: Trouble | undefined = closed.has(channel) && !deferred.has(event.id) ? 'closed' : undefined

  async function sync(bodies: readonly Body[]): Promise<void> {
    for (const [part, body] of bodies.entries()) {
      const before = shown[part]
      const key = JSON.stringify([body.content, body.components])
      if (before?.key === key) continue
      const { id } = before ? await surface.edit(before.id, body) : await surface.post(part, body, round)
      shown[part] = { id, key }
    }
    for (const surplus of shown.splice(bodies.length)) await surface.remove(surplus.id)
  }

  /** @returns what went wrong, if something did. */
  async function attempt(bodies: readonly Body[]): Promise<Trouble | undefined> {
    try {
      await sync(bodies)
      return undefined
    } catch (error) {
      const trouble = troubleOf(error)
      log.warn('discord.send.failed', { event: event.id, channel, trouble, error })
      closed.note(channel, error)
      if (trouble === 'deleted' || trouble === 'closed') over = trouble
      return trouble
    }
  }

  return {
    changed: () => wake.resolve(),
    end() {
      ended.abort()
      wake.resolve()
    },
    /** Shows drafts until the end is called; what comes while one is being shown is passed over for the newest. */
    async follow(draft: () => Draft): Promise<void> {
      while (!ended.signal.aborted && !over) {
        await wake.promise
        wake = Promise.withResolvers()
        if (ended.signal.aborted || draft().end || !draft().text.trim()) continue
        await attempt(renderDraft(draft()))
        await wait(surface.gap(), ended.signal)
      }
    },
    /** Shows the end and answers which messages carry the reply. What Discord refuses as an edit is sent anew. */
    async finish(draft: Draft): Promise<readonly MessageRef[]> {
      let trouble: Trouble | undefined
      for (const bodies of [renderDraft(draft), renderDraft(draft), renderDraft(refused(draft))]) {
        trouble = await persist(bodies)
        if (trouble !== 'refused') break
        stale.push(...shown.splice(0).map(({ id }) => id))
        round += 1
      }
      for (const id of shown.length > 0 ? stale : [])
        await surface.remove(id).catch((error: unknown) => log.warn('discord.remove.failed', { channel, error }))
      if (trouble && draft.end)
        throw new HoneError('UNDELIVERED', `The reply was not shown on Discord: ${whys[trouble]}.`)
      return over ? [] : shown.map(({ id }) => ({ thread: `${event.tenant}:${channel}`, id }))
    },
  }

  /** Tries with patience as long as that may help. @returns what is still wrong. */
  async function persist(bodies: readonly Body[]): Promise<Trouble | undefined> {
    for (const ms of [...patience, 0]) {
      if (over) break
      const trouble = await attempt(bodies)
      if ((trouble !== 'passing' && trouble !== 'expired') || signal.aborted) return trouble
      await wait(ms, signal)
    }
    return over
  }
}

const whys: Readonly<Record<Trouble, string>> = {
  deleted: 'its message was deleted',
  closed: 'the channel is gone, or the bot may not write there any more',
  expired: 'the interaction is over',
  refused: 'Discord does not take it',
  passing: 'Discord could not be reached',
}

/** The end of a reply that Discord takes in no form. */
function refused({ event }: Draft): Draft {
  return {
    event,
    text: '',
    sources: [],
    end: { kind: 'error', code: 'NETWORK', message: 'Discord did not take this answer.' },
  }
}
