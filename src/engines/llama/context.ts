import { randomInt } from 'node:crypto'
import type { LlamaContext, LlamaContextSequence } from 'node-llama-cpp'
import { HoneError } from '../../errors.ts'
import type { Score } from '../../ports/engine.ts'
import { createLanes, type Lanes } from './lanes.ts'
import type { Calls, End } from './protocol.ts'
import { branded, type Runtime } from './runtime.ts'
import { scoreTokens, sumLogProbabilities } from './score.ts'
import { createDecoder } from './text.ts'

/** One engine's context, in the child: sequences that hold the state of threads. */
export interface Context {
  readonly contextTokens: number
  generate(input: Calls['generate']['in'], emit: (text: string) => void, signal: AbortSignal): Promise<End>
  score(input: Calls['score']['in'], signal: AbortSignal): Promise<Score>
  close(): Promise<void>
}

type Sequences = Lanes<LlamaContextSequence>

// Long prompts are evaluated in pieces, so that an abort needn't wait for all of it.
const prefillTokens = 512
const scoreKey = '\0score'

/** Wraps a context of llama.cpp. */
export function createContext(runtime: Runtime, context: LlamaContext, parallel: number): Context {
  const sequences = Array.from({ length: parallel }, () => context.getSequence())
  const lanes = createLanes(sequences)
  // node-llama-cpp shifts a sequence that has only one cell left, so that cell is not for use.
  const contextTokens = context.contextSize - 1
  return {
    contextTokens,
    generate(input, emit, signal) {
      const tokens = runtime.prompter.prompt(input.prompt, true)
      mustFit(tokens.length + 1, contextTokens)
      return generate({ runtime, lanes, tokens, contextTokens, emit, signal }, input)
    },
    async score({ prompt, reply }, signal) {
      const { tokens, from } = scoreTokens(runtime, prompt, reply)
      mustFit(tokens.length, contextTokens)
      const work = (sequence: LlamaContextSequence) => sumLogProbabilities(sequence, tokens, from, signal)
      const sum = await lend(lanes, scoreKey, signal, work)
      if (sum === undefined) throw new HoneError('CANCELLED', 'Scoring was stopped.')
      return { logProbability: sum, tokens: tokens.length - from }
    },
    async close() {
      for (const sequence of sequences) await sequence.dispose()
      await context.dispose()
    },
  }
}

function mustFit(tokens: number, limit: number): void {
  if (tokens <= limit) return
  throw new HoneError('INPUT', `The prompt needs ${tokens} tokens, and this model’s context holds ${limit}.`)
}

/** Lends a sequence to `work`; `undefined` when aborted while waiting for one. */
async function lend<T>(
  lanes: Sequences,
  key: string | undefined,
  signal: AbortSignal,
  work: (sequence: LlamaContextSequence) => Promise<T>,
): Promise<T | undefined> {
  const lane = await lanes.take(key, signal)
  if (!lane) return undefined
  try {
    return await work(lane.sequence)
  } catch (error) {
    // What the sequence holds is unknown now. If even clearing fails, the context is gone, and the error says why.
    await lane.sequence.clearHistory().catch(() => undefined)
    throw error
  } finally {
    lanes.give(lane)
  }
}

interface Generation {
  readonly runtime: Runtime
  readonly lanes: Sequences
  readonly tokens: readonly number[]
  readonly contextTokens: number
  readonly emit: (text: string) => void
  readonly signal: AbortSignal
}

async function generate(generation: Generation, { options, schema }: Calls['generate']['in']): Promise<End> {
  const { runtime, lanes, tokens, contextTokens, signal } = generation
  const most = Math.min(options.maxTokens ?? Number.POSITIVE_INFINITY, contextTokens - tokens.length)
  let evaluated = 0
  let completion = 0
  const end = (reason: End['reason']): End => ({
    kind: 'end',
    reason,
    usage: { prompt: tokens.length, evaluated, completion },
  })
  if (most <= 0) return end('length')
  const grammar = schema && { grammarEvaluationState: await runtime.grammar(schema) }
  const reason = await lend(lanes, options.cacheKey, signal, async (sequence) => {
    const rest = await prefill(sequence, tokens, signal, (count) => {
      evaluated += count
    })
    if (signal.aborted) return 'aborted'
    evaluated += rest.length
    const decoder = decoderFor(generation)
    const sampling = {
      temperature: options.temperature ?? 0,
      topP: options.topP ?? 1,
      topK: 0,
      seed: options.seed === undefined ? randomInt(2 ** 32) : options.seed >>> 0,
      ...grammar,
    }
    for await (const token of sequence.evaluate(branded(rest), sampling)) {
      if (signal.aborted) return 'aborted'
      completion++
      const text = decoder.push(token)
      if (text !== '') generation.emit(text)
      if (completion >= most) return 'length'
    }
    return 'stop'
  })
  return end(reason ?? 'aborted')
}

/** Keeps what the sequence has of these tokens, evaluates all but the last piece of the others and returns that piece. */
async function prefill(
  sequence: LlamaContextSequence,
  tokens: readonly number[],
  signal: AbortSignal,
  count: (evaluated: number) => void,
): Promise<readonly number[]> {
  // The last token is always evaluated: sampling needs its logits.
  await sequence.adaptStateToTokens(branded(tokens.slice(0, -1)), false)
  let at = sequence.nextTokenIndex
  while (tokens.length - at > prefillTokens && !signal.aborted) {
    const piece = tokens.slice(at, at + prefillTokens)
    await sequence.evaluateWithoutGeneratingNewTokens(branded(piece))
    count(piece.length)
    at += piece.length
  }
  return tokens.slice(at)
}

function decoderFor({ runtime: { model }, tokens }: Generation): { push(token: number): string } {
  return createDecoder((some, before) => model.detokenize(branded(some), false, branded(before)), tokens)
}
