/** Ends a request when its caller wants that, or when the server has been silent for too long. */
export interface Watchdog {
  /** Hand this to `fetch`. */
  readonly signal: AbortSignal
  /** True once a time limit has passed. */
  readonly expired: boolean
  /** Starts the clock anew: `ms` until it ends the request. */
  arm(ms: number): void
  /** Stops the clock until it is armed again. */
  rest(): void
  /** Stops the clock and ends what still runs. */
  stop(): void
}

/** Makes a watchdog for one request. */
export function watchdog(outer?: AbortSignal): Watchdog {
  const halt = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let expired = false
  const rest = () => clearTimeout(timer)
  const onAbort = () => halt.abort(outer?.reason)
  if (outer?.aborted) onAbort()
  else outer?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: halt.signal,
    get expired() {
      return expired
    },
    arm(ms) {
      rest()
      timer = setTimeout(() => {
        expired = true
        halt.abort(new Error(`silent for ${ms} ms`))
      }, ms)
    },
    rest,
    stop() {
      rest()
      outer?.removeEventListener('abort', onAbort)
      halt.abort()
    },
  }
}
