/** A sequence of a context and the thread whose state it holds. */
export interface Lane<S> {
  readonly sequence: S
  key: string | undefined
  usedAt: number
}

/** Lends the sequences of one context to generations. */
export interface Lanes<S> {
  /** Waits in line for a sequence; `undefined` when aborted while waiting. */
  take(key: string | undefined, signal: AbortSignal): Promise<Lane<S> | undefined>
  give(lane: Lane<S>): void
}

/**
 * A key gets the sequence that it had last, if that is free; else the one that was unused for the longest time.
 * Who finds none free waits in line, first come first served.
 */
export function createLanes<S>(sequences: readonly S[]): Lanes<S> {
  const free = new Set<Lane<S>>(sequences.map((sequence) => ({ sequence, key: undefined, usedAt: 0 })))
  const line = new Set<(lane: Lane<S>) => void>()
  let clock = 0

  function pick(key: string | undefined): Lane<S> | undefined {
    let oldest: Lane<S> | undefined
    for (const lane of free) {
      if (key !== undefined && lane.key === key) return lane
      if (!oldest || lane.usedAt < oldest.usedAt) oldest = lane
    }
    return oldest
  }

  function hold(lane: Lane<S>, key: string | undefined): Lane<S> {
    free.delete(lane)
    lane.key = key
    lane.usedAt = ++clock
    return lane
  }

  return {
    take(key, signal) {
      const lane = pick(key)
      if (signal.aborted) return Promise.resolve(undefined)
      if (lane) return Promise.resolve(hold(lane, key))
      return new Promise((resolve) => {
        const leave = () => {
          line.delete(enter)
          resolve(undefined)
        }
        const enter = (given: Lane<S>) => {
          signal.removeEventListener('abort', leave)
          resolve(hold(given, key))
        }
        line.add(enter)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    give(lane) {
      const [next] = line
      if (!next) return void free.add(lane)
      line.delete(next)
      next(lane)
    },
  }
}
