import { HoneError } from '../../errors.ts'
import type { ChatMessage, Delta, Engine, GenerateOptions, JsonSchema, Version } from '../../ports/engine.ts'
import { filled } from '../filled.ts'
import type { Link } from './link.ts'
import type { ModelFacts } from './protocol.ts'

/** An engine's place in a child process: its context there. */
export interface Seat {
  readonly link: Link
  readonly context: number
  readonly facts: ModelFacts
  readonly contextTokens: number
  /** Disposes the context; may be called again. */
  leave(): Promise<void>
}

/** The engine of one version. When its process is gone it takes a new seat, with the next call. */
export function createEngine(
  version: Version,
  sit: () => Promise<Seat>,
  first: Seat & { readonly contextTokens: number },
): Engine {
  let seat: Promise<Seat> = Promise.resolve(first)
  let disposed = false

  async function seated(): Promise<Seat> {
    if (disposed) throw new HoneError('ENGINE_FAILED', 'The engine has been disposed.')
    const asked = seat
    const taken = await asked.catch(() => undefined)
    if (taken?.link.alive) return taken
    // Of all calls that find the process gone, the first one takes the new seat.
    if (seat === asked) {
      void taken?.leave()
      seat = sit()
      // Every caller awaits it too; without one, a failure must not be an unhandled rejection.
      seat.catch(() => undefined)
      return seat
    }
    return seated()
  }

  const { embeds } = first.facts
  return {
    version,
    contextTokens: first.contextTokens,
    generate: (prompt, options = {}) => generate(seated, { prompt, options }),
    countTokens: async (prompt) => (await seated()).link.call('count', { prompt }),
    ...(!embeds && {
      fill: (prompt: readonly ChatMessage[], schema: JsonSchema, options: GenerateOptions = {}) =>
        filled(generate(seated, { prompt, schema, options })),
      async score(prompt: readonly ChatMessage[], reply: string, signal?: AbortSignal) {
        if (signal?.aborted) throw new HoneError('CANCELLED', 'Scoring was stopped before it began.')
        const { link, context } = await seated()
        return link.call('score', { context, prompt, reply }, { signal })
      },
    }),
    ...(embeds && {
      embed: async (texts: readonly string[], signal?: AbortSignal) =>
        (await seated()).link.call('embed', { texts }, { signal }),
    }),
    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      const taken = await seat.catch(() => undefined)
      await taken?.leave()
    },
  }
}

interface Asked {
  readonly prompt: readonly ChatMessage[]
  readonly options: GenerateOptions
  readonly schema?: JsonSchema
}

async function* generate(
  seated: () => Promise<Seat>,
  { options: { signal, ...options }, ...asked }: Asked,
): AsyncGenerator<Delta> {
  if (signal?.aborted) {
    return yield { kind: 'end', reason: 'aborted', usage: { prompt: 0, evaluated: 0, completion: 0 } }
  }
  const { link, context } = await seated()
  const left = new AbortController()
  let text = ''
  let wake = Promise.withResolvers<void>()
  const ended = link.call(
    'generate',
    { context, options, ...asked },
    {
      signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal,
      onText(more) {
        text += more
        wake.resolve()
      },
    },
  )
  let going = true
  const settled = ended.then(
    () => undefined,
    () => undefined,
  )
  void settled.then(() => {
    going = false
    wake.resolve()
  })
  try {
    while (going || text !== '') {
      if (text === '') await wake.promise
      wake = Promise.withResolvers()
      const said = text
      text = ''
      if (said !== '' && !signal?.aborted) yield { kind: 'text', text: said }
    }
    yield await ended
  } finally {
    // A reader that leaves early ends the generation.
    if (going) left.abort()
  }
}
