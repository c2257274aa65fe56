import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  type UsageMetadata,
} from '@langchain/core/messages'
import { asHoneError, HoneError } from '../errors.ts'
import type { ChatMessage, Delta, Engine, GenerateOptions, LoadEngine, Usage } from '../ports/engine.ts'

/**
 * Engines around any LangChain chat model. Temperature, top-p and seed are what the model was made with: LangChain has
 * no common way to set them for one call. `maxTokens` is kept by ending the stream after as many pieces.
 *
 * @throws HoneError from the loader: SWAP_REFUSED for a version with a LoRA or a model of its own, which LangChain can't hand on.
 * @example const load = langchain(new ChatAnthropic({ model: 'claude-sonnet-4-5' }), { contextTokens: 200_000 })
 */
export function langchain(model: BaseChatModel, options: { readonly contextTokens?: number } = {}): LoadEngine {
  return async function loadLangchain(version) {
    if (version.lora || version.model) {
      const [what, where] = version.lora ? ['has a LoRA', ' or with vLLM'] : ['is a model of its own', '']
      throw new HoneError(
        'SWAP_REFUSED',
        `Version ${version.id} ${what}, and a LangChain chat model can't load one. Serve it in process${where}.`,
      )
    }
    const engine: Engine = {
      version,
      contextTokens: options.contextTokens ?? 4096,
      generate: (prompt, given = {}) => generate(model, prompt, given),
      async [Symbol.asyncDispose]() {},
    }
    return engine
  }
}

/** Messages as LangChain's classes. */
export function toLangchain(prompt: readonly ChatMessage[]): BaseMessage[] {
  return prompt.map(({ role, content }) => {
    if (role === 'system') return new SystemMessage(content)
    return role === 'user' ? new HumanMessage(content) : new AIMessage(content)
  })
}

async function* generate(
  model: BaseChatModel,
  prompt: readonly ChatMessage[],
  { maxTokens = Number.POSITIVE_INFINITY, signal }: GenerateOptions,
): AsyncGenerator<Delta> {
  const tally = { input: 0, output: 0, cached: 0, pieces: 0 }
  const leave = new AbortController()
  const both = signal ? AbortSignal.any([signal, leave.signal]) : leave.signal
  let reason: 'stop' | 'length' | 'aborted' = 'stop'
  try {
    signal?.throwIfAborted()
    for await (const chunk of await model.stream(toLangchain(prompt), { signal: both })) {
      count(tally, chunk)
      if (cutShort(chunk)) reason = 'length'
      if (chunk.text === '') continue
      if (tally.pieces === maxTokens) {
        reason = 'length'
        break
      }
      tally.pieces++
      yield { kind: 'text', text: chunk.text }
      signal?.throwIfAborted()
    }
  } catch (error) {
    if (!signal?.aborted) throw asHoneError(error, 'ENGINE_FAILED', `The LangChain model ${model._llmType()} failed`)
    reason = 'aborted'
  } finally {
    leave.abort()
  }
  yield { kind: 'end', reason, usage: toUsage(tally, prompt) }
}

interface Tally {
  input: number
  output: number
  cached: number
  pieces: number
}

/** Providers spread the counts over several chunks; LangChain's own merging adds them up. */
function count(tally: Tally, chunk: AIMessageChunk): void {
  const usage = chunk.usage_metadata as UsageMetadata | undefined
  tally.input += usage?.input_tokens ?? 0
  tally.output += usage?.output_tokens ?? 0
  tally.cached += usage?.input_token_details?.cache_read ?? 0
}

/** How OpenAI, Ollama and Anthropic, in this order, say that the reply was cut at its longest. */
function cutShort({ response_metadata: said }: AIMessageChunk): boolean {
  return said.finish_reason === 'length' || said.done_reason === 'length' || said.stop_reason === 'max_tokens'
}

/** A model that counts nothing gets four characters a token for the prompt and a token for each piece. */
function toUsage({ input, output, cached, pieces }: Tally, prompt: readonly ChatMessage[]): Usage {
  const guess = Math.ceil(prompt.reduce((sum, { content }) => sum + content.length, 0) / 4)
  const total = input || guess
  return { prompt: total, evaluated: Math.max(0, total - cached), completion: output || pieces }
}
