import { asHoneError, HoneError } from '../errors.ts'
import { branch } from '../history.ts'
import { newId } from '../id.ts'
import type { Logger } from '../log.ts'
import type { Replay, ReplayedTurn, ReplayOptions, Replays } from '../ports/replay.ts'
import type { Store } from '../ports/store.ts'
import type { ProfileShelf } from '../profiles.ts'
import { type Profile, parseProfile } from '../prompt/profile.ts'
import { summaryOf } from './summary.ts'
import { type Exchange, exchangesIn, isModels, replayThread, type ThreadParts } from './thread.ts'

export interface ReplayParts extends ThreadParts {
  readonly store: Pick<Store, 'turns' | 'feedback' | 'past'>
  readonly profiles: ProfileShelf
  /** Channels whose conversations may be learned from, and so looked at. */
  readonly channels: readonly string[]
  readonly log: Logger
  /** A signal that comes after so many milliseconds. */
  readonly after?: (ms: number) => AbortSignal
}

const longestThread = 200
const limits = { threads: [20, 200], turns: [100, 1000], minutes: [10, 240] } as const

type Head = Omit<Replay, 'turns' | 'summary' | 'planned'>

interface Run {
  head: Head
  readonly planned: number
  readonly turns: ReplayedTurn[]
  readonly stop: AbortController
  /** Resolves when something is new; then there is another one. */
  news: PromiseWithResolvers<void>
}

/**
 * Replays of past threads. What is answered is kept in memory alone and nowhere else: no thread, no vote and no training
 * ever sees it, and it goes when somebody is forgotten.
 *
 * @example
 * const replays = createReplays({ store, slot, knowledge, profiles, channels: ['web'], declines, log })
 * const { id } = await replays.start({ profile: await readFile('desk.md', 'utf8') }, 'web:anna')
 * for await (const { old, fresh } of replays.watch(id)) print(old.text, fresh?.text)
 */
export function createReplays(parts: ReplayParts): Replays {
  const { store, profiles, channels, log, after: signalAfter = AbortSignal.timeout } = parts
  let current: Run | undefined
  let starting = false
  /** How often somebody was forgotten. */
  let cleared = 0

  async function planOf(options: ReplayOptions): Promise<readonly (readonly Exchange[])[]> {
    const { since, first = 'recent' } = options
    const from = since === undefined ? {} : { since: dateOf(since) }
    const limit = limited('threads', options.threads)
    const tenant = options.tenant ?? ''
    const threads: (readonly Exchange[])[] = []
    let left = limited('turns', options.turns)
    for (const thread of await store.past.threads({ tenant, channels, first, limit, ...from })) {
      if (left <= 0) break
      const turns = await branch(await store.turns.history(thread, longestThread), store)
      const exchanges = upTo(left, exchangesIn(turns))
      left -= exchanges.filter(isModels).length
      if (exchanges.some(isModels)) threads.push(exchanges)
    }
    return threads
  }

  async function tenantOf({ tenant }: ReplayOptions): Promise<string> {
    const known = await store.past.tenants(channels)
    const on = channels.join(', ') || 'no channel'
    if (known.length === 0)
      throw new HoneError('NOT_FOUND', `There are no past threads on the channels of HONE_TRAIN_ON (${on}).`)
    if (tenant !== undefined && !known.includes(tenant))
      throw new HoneError('NOT_FOUND', `There are no past threads of ${tenant}; there are some of ${known.join(', ')}.`)
    if (tenant === undefined && known.length > 1)
      throw new HoneError('INPUT', `Whose threads? Name a tenant: ${known.join(', ')}.`)
    return tenant ?? (known[0] as string)
  }

  async function begin(options: ReplayOptions, by: string): Promise<Run> {
    const candidate = candidateOf(options.profile)
    sameName(candidate, profiles.serving)
    const minutes = limited('minutes', options.minutes)
    const before = cleared
    const tenant = await tenantOf(options)
    const threads = await planOf({ ...options, tenant })
    const planned = threads.flat().filter(isModels).length
    if (planned === 0) throw new HoneError('NOT_FOUND', `There are no past replies of ${tenant} to compare with.`)
    if (cleared !== before) throw new HoneError('CANCELLED', 'Somebody was forgotten meanwhile.')
    const { version: profile, source } = candidate
    const place = { id: newId('replay'), by, tenant, profile, source, threads: threads.length }
    const run: Run = {
      head: { ...place, state: 'running', startedAt: new Date() },
      planned,
      turns: [],
      stop: new AbortController(),
      news: Promise.withResolvers(),
    }
    log.info('replay.started', { id: place.id, by, tenant, profile, planned })
    void work(run, candidate, { threads, minutes }).catch((error: unknown) => {
      const { message } = asHoneError(error, 'STORE', 'The replay broke off')
      end(run, 'failed', message)
    })
    return run
  }

  async function work(
    run: Run,
    candidate: Profile,
    { threads, minutes }: { readonly threads: readonly (readonly Exchange[])[]; readonly minutes: number },
  ): Promise<void> {
    const late = signalAfter(60_000 * minutes)
    const signal = AbortSignal.any([run.stop.signal, late])
    for (const exchanges of threads) {
      for await (const turn of replayThread(exchanges, { candidate, id: run.head.id, signal }, parts)) {
        if (run.stop.signal.aborted) break
        run.turns.push(turn)
        tell(run)
      }
      if (signal.aborted) break
    }
    if (run.stop.signal.aborted) return end(run, 'cancelled', 'It was cancelled.')
    if (late.aborted) return end(run, 'done', `It ended after ${minutes} minutes.`)
    end(run, 'done')
  }

  function end(run: Run, state: Replay['state'], note?: string): void {
    run.head = { ...run.head, state, endedAt: new Date(), ...(note === undefined ? {} : { note }) }
    log.info('replay.ended', { id: run.head.id, state, answered: run.turns.length })
    tell(run)
  }

  const running = () => starting || current?.head.state === 'running'
  return {
    async choices() {
      return { tenants: await store.past.tenants(channels), versions: await profiles.list() }
    },
    source: async (version) => (version ? await profiles.find(version) : profiles.serving).source,
    async start(options, by) {
      if (running()) throw new HoneError('BUSY', 'A replay is under way.')
      starting = true
      try {
        current = await begin(options, by)
        return viewOf(current)
      } finally {
        starting = false
      }
    },
    last: () => current && viewOf(current),
    async *watch(id, after = 0, signal) {
      const gone = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
      for (let next = after; current?.head.id === id && !signal?.aborted; ) {
        const { turns, head, news } = current
        const turn = turns[next]
        if (turn) {
          next += 1
          yield turn
        } else if (head.state === 'running') await Promise.race([news.promise, gone])
        else return
      }
    },
    cancel() {
      const was = current?.head.state === 'running'
      if (was) current?.stop.abort()
      return was
    },
    async promote(id, by) {
      if (current?.head.id !== id) throw new HoneError('NOT_FOUND', 'This replay is gone. Start it again.')
      const candidate = parseProfile(current.head.source, 'the candidate')
      await profiles.keep(candidate)
      return (await profiles.promote(candidate.version, by)).version
    },
    clear() {
      cleared += 1
      const run = current
      current = undefined
      run?.stop.abort()
      if (run) tell(run)
    },
  }
}

function tell(run: Run): void {
  const { news } = run
  run.news = Promise.withResolvers()
  news.resolve()
}

function viewOf({ head, planned, turns }: Run): Replay {
  return { ...head, planned, turns: [...turns], summary: summaryOf(turns) }
}

/** As many messages as are still allowed; those that no model answered cost nothing. */
function upTo(most: number, exchanges: readonly Exchange[]): readonly Exchange[] {
  let left = most
  const end = exchanges.findIndex((exchange) => isModels(exchange) && left-- <= 0)
  return end < 0 ? exchanges : exchanges.slice(0, end)
}

function limited(name: keyof typeof limits, given: number | undefined): number {
  const [usual, most] = limits[name]
  const value = given ?? usual
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new HoneError('INPUT', `${name} is ${value}; it must be a whole number from 1 to ${most}.`)
}

function dateOf(since: string): Date {
  const date = new Date(since)
  if (Number.isNaN(date.getTime())) throw new HoneError('INPUT', `"${since}" is no date. For example: 2026-01-31.`)
  return date
}

/** A mistake in it is the asker's, not the operator's. */
function candidateOf(source: string): Profile {
  try {
    return parseProfile(source, 'the candidate')
  } catch (error) {
    throw new HoneError('INPUT', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** Found out before anything is answered: only its own versions may serve a bot. */
function sameName({ name }: Profile, serving: Profile): void {
  if (name !== serving.name)
    throw new HoneError('INPUT', `This bot's profile is "${serving.name}"; the candidate is named "${name}".`)
}
