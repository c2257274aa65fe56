/** One job at a time per key, any number of keys at once; nothing is dropped. */
export interface Queue {
  /** Resolves or rejects with the job, after every earlier job of the same key has ended. */
  add<T>(key: string, job: () => Promise<T>): Promise<T>
  /** Resolves when nothing is running or waiting. */
  idle(): Promise<void>
  /** Jobs running or waiting. */
  readonly size: number
}

/**
 * @example
 * const queue = createQueue()
 * await queue.add('thread-1', () => reply(first)) // a second message of thread-1 waits for this one
 */
export function createQueue(): Queue {
  const tails = new Map<string, Promise<unknown>>()
  let size = 0
  return {
    get size() {
      return size
    },
    add(key, job) {
      size += 1
      const before = tails.get(key) ?? Promise.resolve()
      const run = before.then(job, job)
      const tail = run
        .catch(() => {})
        .finally(() => {
          size -= 1
          if (tails.get(key) === tail) tails.delete(key)
        })
      tails.set(key, tail)
      return run
    },
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values())
    },
  }
}
