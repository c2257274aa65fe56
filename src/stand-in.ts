import { HoneError } from './errors.ts'
import type { ChatMessage, Delta, Engine, GenerateOptions } from './ports/engine.ts'

/**
 * An engine that another one stands in for where it fails before it has said anything; from then on the other one does
 * all. `version` is that of whichever answers. Where both fail, the fault is not this engine's, and nothing is told.
 *
 * @param answered told of each answer; with the error where the engine failed
 */
export function withStandIn(engine: Engine, other: Engine, answered: (error?: unknown) => void): Engine {
  let now = engine

  async function either<T>(call: (engine: Engine) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (now === other) return call(other)
    try {
      return await call(engine)
    } catch (error) {
      if (signal?.aborted) throw error
      const result = await call(other)
      now = other
      answered(error)
      return result
    }
  }

  async function* generate(prompt: readonly ChatMessage[], options: GenerateOptions = {}): AsyncGenerator<Delta> {
    if (now === other) return yield* other.generate(prompt, options)
    let said = false
    let failure: unknown
    try {
      for await (const delta of engine.generate(prompt, options)) {
        if (delta.kind === 'end' && !said && delta.reason !== 'aborted')
          throw new HoneError('ENGINE_FAILED', `${engine.version.id} said nothing.`)
        said ||= delta.kind === 'text' && delta.text.trim() !== ''
        yield delta
      }
      return answered()
    } catch (error) {
      // What was said can't be taken back.
      if (said) answered(error)
      if (said || options.signal?.aborted) throw error
      failure = error
    }
    for await (const delta of other.generate(prompt, options)) {
      if (now === engine) answered(failure)
      now = other
      yield delta
    }
  }

  const { fill, countTokens, score, embed } = engine
  return {
    get version() {
      return now.version
    },
    contextTokens: Math.min(engine.contextTokens, other.contextTokens),
    generate,
    ...(fill && {
      fill: (prompt, schema, options) =>
        either((one) => one.fill?.(prompt, schema, options) ?? missing(), options?.signal),
    }),
    ...(countTokens && { countTokens: (prompt) => either((one) => one.countTokens?.(prompt) ?? missing()) }),
    ...(score && {
      score: (prompt, reply, signal) => either((one) => one.score?.(prompt, reply, signal) ?? missing(), signal),
    }),
    ...(embed && { embed: (texts, signal) => either((one) => one.embed?.(texts, signal) ?? missing(), signal) }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Two engines on one base can do the same. */
function missing(): never {
  throw new HoneError('ENGINE_MISSING', 'The engine that stands in has not the same capabilities.')
}
