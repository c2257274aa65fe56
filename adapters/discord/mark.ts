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
  /** A shard has missed nothing, or has made up for it. */
  caughtUp(shard: number): void
  /** Since when a shard may have missed something; undefined when it can't have. */
  missedSince(shard: number): string | undefined
  readonly directs: readonly string[]
  /** Writes what is still to be written. */
  flush(): void
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
  /** Shards that are behind, with the mark they stand at. Those that were never heard of stand at the start. */
  const behind = new Map<number, string>()
  const known = new Set<number>()

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (!file) return
    const waiting = [...behind.values(), oldestFailed, known.size === 0 ? initial : undefined].filter(
      (id) => id !== undefined,
    )
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
      if (known.has(shard) && !behind.has(shard)) behind.set(shard, seen)
    },
    caughtUp(shard) {
      behind.delete(shard)
      known.add(shard)
      soon()
    },
    missedSince: (shard) => behind.get(shard) ?? (known.has(shard) ? undefined : initial),
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
