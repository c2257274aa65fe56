import type { ChatMessage, Delta, Engine, GenerateOptions, Score, Version } from '../ports/engine.ts'

export interface EchoOptions {
  readonly version?: Version
  readonly contextTokens?: number
}

const width = 64
const keptPrompts = 256

/**
 * An engine without weights: says the last user message back, word by word. A token is a word.
 * It is deterministic, so a test or a bench that uses it measures everything but a model.
 *
 * `usage.evaluated` counts the words after the longest prefix that the last prompt of the same `cacheKey` shared,
 * which makes it a counter of how much of a prompt layout a KV cache could keep.
 *
 * @example for await (const delta of echo().generate([{ role: 'user', content: 'hello there' }])) …
 */
export function echo({ version = { id: 'v0', base: 'echo' }, contextTokens = 8192 }: EchoOptions = {}): Engine {
  const kept = new Map<string, readonly string[]>()
  return {
    version,
    contextTokens,
    generate: (prompt, options = {}) => speak(prompt, options, kept),
    countTokens: async (prompt) => tokensOf(prompt).length,
    score: async (prompt, reply) => scoreOf(prompt, reply),
    embed: async (texts) => texts.map(embedOne),
    [Symbol.asyncDispose]: async () => kept.clear(),
  }
}

async function* speak(
  prompt: readonly ChatMessage[],
  { maxTokens = Number.POSITIVE_INFINITY, signal, cacheKey }: GenerateOptions,
  kept: Map<string, readonly string[]>,
): AsyncGenerator<Delta> {
  const tokens = tokensOf(prompt)
  const evaluated = signal?.aborted ? 0 : tokens.length - remember(kept, cacheKey, tokens)
  const words = (prompt.findLast((message) => message.role === 'user')?.content ?? '').match(/\s*\S+/g) ?? []
  let completion = 0
  const end = (reason: 'stop' | 'length' | 'aborted'): Delta => ({
    kind: 'end',
    reason,
    usage: { prompt: tokens.length, evaluated, completion },
  })
  for (const word of words) {
    // A real engine yields to the event loop between tokens; so must this one, or an abort could never come through.
    await new Promise(setImmediate)
    if (signal?.aborted) return yield end('aborted')
    if (completion >= maxTokens) return yield end('length')
    completion++
    yield { kind: 'text', text: completion === 1 ? word.trimStart() : word }
  }
  yield end(signal?.aborted ? 'aborted' : 'stop')
}

/** Keeps the prompt for its key and returns how many words it shares with the one before. */
function remember(kept: Map<string, readonly string[]>, key: string | undefined, tokens: readonly string[]): number {
  if (key === undefined) return 0
  const before = kept.get(key) ?? []
  kept.delete(key)
  kept.set(key, tokens)
  const [oldest] = kept.keys()
  if (kept.size > keptPrompts && oldest !== undefined) kept.delete(oldest)
  const different = tokens.findIndex((token, index) => token !== before[index])
  return different === -1 ? tokens.length : different
}

/** The words of a prompt; each message begins with its role. */
function tokensOf(prompt: readonly ChatMessage[]): string[] {
  return prompt.flatMap((message) => [`<${message.role}>`, ...wordsOf(message.content)])
}

function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? []
}

/** A word that the last user message holds has probability 1/2, any other 1/100; so does the end of the turn. */
function scoreOf(prompt: readonly ChatMessage[], reply: string): Score {
  const likely = new Set(wordsOf(prompt.findLast((message) => message.role === 'user')?.content ?? ''))
  const words = wordsOf(reply)
  const sum = words.reduce((total, word) => total + Math.log(likely.has(word) ? 0.5 : 0.01), 0)
  const ending = prompt.length > 0 ? 1 : 0
  return { logProbability: sum + ending * Math.log(0.5), tokens: words.length + ending }
}

/** A bag of hashed words (FNV-1a), at unit length. */
function embedOne(text: string): Float32Array {
  const vector = new Float32Array(width)
  for (const word of wordsOf(text.toLowerCase())) {
    let hash = 0x811c9dc5
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193) >>> 0
    vector[hash % width] = (vector[hash % width] ?? 0) + 1
  }
  const length = Math.hypot(...vector)
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((value) => value / length)
}
