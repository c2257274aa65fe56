const tickMs = 5
let time = 0
/** Who waits until when. */
const waiting = new Set<{ readonly at: number; readonly resolve: () => void }>()

// A late tick counts no more than one in time: the timer does not catch up.
setInterval(() => {
  time += tickMs
  for (const one of waiting) {
    if (one.at > time) continue
    waiting.delete(one)
    one.resolve()
  }
}, tickMs).unref()

/**
 * A clock that goes on only while this process may run. A platform's limits are in seconds; a fake that enforces them by this
 * clock does not take a machine that is busy with others for a bot that is slow.
 *
 * @param speed how many times faster it goes than the one on the wall.
 */
export function ownTime(speed = 1) {
  return {
    /** Milliseconds since the process began. */
    now: () => time * speed,
    wait: (ms: number): Promise<void> =>
      ms <= 0
        ? new Promise((resolve) => setImmediate(resolve))
        : new Promise((resolve) => waiting.add({ at: time + ms / speed, resolve })),
  }
}
