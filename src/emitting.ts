/**
 * Turns work that emits values into an async iterable of them. The work starts at once and runs to its end even if
 * nobody reads; its error is thrown to the reader after the values emitted before it.
 *
 * @example for await (const n of emitting<number>(async (emit) => { emit(1); emit(2) })) print(n)
 */
export function emitting<T>(work: (emit: (value: T) => void) => Promise<unknown>): AsyncIterable<T> {
  const values: T[] = []
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let wake = () => {}
  const emit = (value: T): void => {
    values.push(value)
    wake()
  }
  void work(emit)
    .catch((error: unknown) => {
      failure = { error }
    })
    .finally(() => {
      ended = true
      wake()
    })
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (values.length > 0) yield values.shift() as T
        if (failure) throw failure.error
        if (ended) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
