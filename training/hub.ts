/** Events of one run at a time, for any number of listeners. */
export interface Hub<T> {
  publish(event: T): void
  /** The run is over: every listener gets what it has not read yet, and then the end. */
  end(): void
  /** Listens from this call on, not from the first read. `first` is read before anything else. */
  watch(first: readonly T[], signal?: AbortSignal): AsyncIterable<T>
}

interface Listener<T> {
  readonly waiting: T[]
  ended: boolean
  wake: () => void
}

/** @example const hub = createHub<RunEvent>(); for await (const event of hub.watch([])) … */
export function createHub<T>(): Hub<T> {
  const listeners = new Set<Listener<T>>()

  async function* read(listener: Listener<T>, signal?: AbortSignal): AsyncGenerator<T> {
    const stop = () => listener.wake()
    signal?.addEventListener('abort', stop)
    try {
      while (!signal?.aborted) {
        const event = listener.waiting.shift()
        if (event !== undefined) yield event
        else if (listener.ended) return
        else await new Promise<void>((resolve) => (listener.wake = resolve))
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      listeners.delete(listener)
    }
  }

  return {
    publish(event) {
      for (const listener of listeners) {
        listener.waiting.push(event)
        listener.wake()
      }
    },
    end() {
      for (const listener of listeners) {
        listener.ended = true
        listener.wake()
      }
      listeners.clear()
    },
    watch(first, signal) {
      const listener: Listener<T> = { waiting: [...first], ended: false, wake: () => {} }
      listeners.add(listener)
      return read(listener, signal)
    },
  }
}
