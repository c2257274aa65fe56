import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '../../src/log.ts'
import { snowflakeAt } from './place.ts'

/** What is kept of what was seen, so that a later process knows what it missed. */
interface Kept {
  /** Every message up to this snowflake is in the inbox. */
  readonly seen: string
  /** Direct messages: Discord has no list of them. */
  readonly directs: readonly string[]
}

export interface Mark {
  /** A message that is in the inbox, or is none of ours. */
  saw(message: string, direct?: string): void
  /** A message that could not be taken in: the next process is to look at it again. */
  failed(message: string): void
  /** A shard has lost its connection: what comes meanwhile may be missed. */
  lost(shard: number): void
  /** A shard was given back its session, and with it what came meanwhile. */
  resumed(shard: number): void
  /** A shard has a new session. @returns what it missed; undefined when there is nothing to make up for. */
  began(shard: number): Gap | undefined
  /** What was missed has been taken in; says nothing of what was missed since. */
  caughtUp(shard: number, gap: Gap): void
  readonly directs: readonly string[]
  /** Writes what is still to be written. */
  flush(): void
}

/** A time in which a shard wasn't connected. */
export interface Gap {
  /** The snowflake it began at. */
  readonly since: string
}

const everyMs = 1000
const keptDirects = 1000

/** @param file where the mark outlives the process; without one only lost connections are made up for. */
export function createMark(file: string | undefined, log: Logger): Mark {
  const kept = file ? load(file, log) : undefined
  const initial = kept?.seen
  let seen = initial ?? snowflakeAt(Date.now())
  let directs = kept?.directs ?? []
  let timer: NodeJS.Timeout | undefined
  let oldestFailed: string | undefined
  /** Shards that are without a connection now, with the mark at which they lost it. */
  const dropped = new Map<number, string>()
  /** What is still to be made up for. */
  const behind = new Map<number, Gap>()
  const known = new Set<number>()

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (!file) return
    const gaps = [...behind.values()].map(({ since }) => since)
    const waiting = [...gaps, ...dropped.values(), ...(oldestFailed ? [oldestFailed] : [])]
    const value: Kept = { seen: waiting.reduce(older, seen), directs }
    try {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.tmp`, JSON.stringify(value))
      renameSync(`${file}.tmp`, file)
    } catch (error) {
      log.warn('discord.mark.failed', { file, error })
    }
  }
  // From the first moment on: a process may be killed before it has seen anything.
  if (!kept) flush()
  const soon = (): void => {
    timer ??= setTimeout(flush, everyMs).unref()
  }
  return {
    saw(message, direct) {
      if (older(seen, message) === seen) seen = message
      if (direct && !directs.includes(direct)) directs = [...directs, direct].slice(-keptDirects)
      soon()
    },
    failed(message) {
      oldestFailed = older(oldestFailed ?? message, message)
      soon()
    },
    lost(shard) {
      if (known.has(shard) && !dropped.has(shard)) dropped.set(shard, seen)
    },
    resumed: (shard) => void dropped.delete(shard),
    began(shard) {
      const starts = [dropped.get(shard), behind.get(shard)?.since, known.has(shard) ? undefined : initial]
      const [first, ...others] = starts.filter((since) => since !== undefined)
      dropped.delete(shard)
      known.add(shard)
      if (first === undefined) return undefined
      const gap = { since: others.reduce(older, first) }
      behind.set(shard, gap)
      return gap
    },
    caughtUp(shard, gap) {
      if (behind.get(shard) !== gap) return
      behind.delete(shard)
      soon()
    },
    get directs() {
      return directs
    },
    flush,
  }
}

function older(a: string, b: string): string {
  return BigInt(a) <= BigInt(b) ? a : b
}

function load(file: string, log: Logger): Kept | undefined {
  try {
    const { seen, directs } = JSON.parse(readFileSync(file, 'utf8')) as Kept
    if (/^\d+$/.test(seen) && Array.isArray(directs)) return { seen, directs: directs.filter((id) => /^\d+$/.test(id)) }
    throw new Error('It holds something else.')
  } catch (error) {
    const none = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!none) log.warn('discord.mark.unreadable', { file, error })
    return undefined
  }
}
