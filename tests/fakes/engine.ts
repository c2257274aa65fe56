import { createHash } from 'node:crypto'
import { silent } from '../../src/log.ts'
import type {
  ChatMessage,
  Engine,
  EngineSlot,
  GenerateOptions,
  JsonSchema,
  Score,
  Version,
} from '../../src/ports/engine.ts'
import { createSlot } from '../../src/slot.ts'

/** What a scripted engine says, by version: log-probabilities and answers are whatever the test wants. */
export interface Script {
  score(version: Version, prompt: readonly ChatMessage[], reply: string): Score
  answer(
    version: Version,
    prompt: readonly ChatMessage[],
  ): { readonly text: string; readonly reason?: 'stop' | 'length' }
  /** What a form is filled in with; may throw. */
  fill?(prompt: readonly ChatMessage[], schema: JsonSchema, signal?: AbortSignal): unknown
  readonly softPrompt?: true
}

interface Answered {
  readonly text: string
  readonly reason?: 'stop' | 'length'
}

/** An engine that follows a script; without `score` or `fill`, it has no such capability. */
export function scriptedEngine(version: Version, script: Partial<Script>): Engine {
  const { score, fill, softPrompt, answer = (): Answered => ({ text: 'Yes.' }) } = script
  return {
    version,
    contextTokens: 8192,
    ...(softPrompt && { softPrompt }),
    async *generate(prompt, { signal } = {}) {
      const { text, reason = 'stop' } = answer(version, prompt)
      const usage = { prompt: 1, evaluated: 1, completion: 1 }
      if (signal?.aborted) return yield { kind: 'end', reason: 'aborted', usage }
      if (text) yield { kind: 'text', text }
      yield { kind: 'end', reason, usage }
    },
    ...(score && { score: async (prompt: readonly ChatMessage[], reply: string) => score(version, prompt, reply) }),
    ...(fill && {
      fill: async (prompt: readonly ChatMessage[], schema: JsonSchema, options: GenerateOptions = {}) => ({
        value: await fill(prompt, schema, options.signal),
        usage: { prompt: 1, evaluated: 1, completion: 1 },
      }),
    }),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A real slot over scripted engines, which can hold a canary. */
export function scriptedSlot(first: Version, script: Partial<Script>): Promise<EngineSlot> {
  return createSlot({ load: async (version) => scriptedEngine(version, script), first, log: silent })
}

/** A slot over scripted engines that says what was swapped and borrowed. */
export interface FakeSlot extends EngineSlot {
  readonly swapped: readonly string[]
  readonly borrowed: readonly string[]
}

/** @example const slot = fakeSlot({ id: 'v0', base: 'base.gguf' }, { score: () => ({ logProbability: -1, tokens: 1 }) }) */
export function fakeSlot(first: Version, script: Partial<Script>): FakeSlot {
  let engine = scriptedEngine(first, script)
  const swapped: string[] = []
  const borrowed: string[] = []
  return {
    swapped,
    borrowed,
    get version() {
      return engine.version
    },
    use: (work) => work(engine),
    async swap(next, prove) {
      const loaded = scriptedEngine(next, script)
      await prove?.(loaded)
      engine = loaded
      swapped.push(next.id)
    },
    async borrow(version, work) {
      borrowed.push(version.id)
      return work(version.id === engine.version.id ? engine : scriptedEngine(version, script))
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A number in [0, 1) that depends on the text alone: noise for scripts that a test can repeat. */
export function noise(text: string): number {
  return Number.parseInt(createHash('sha256').update(text).digest('hex').slice(0, 8), 16) / 2 ** 32
}
