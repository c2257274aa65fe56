import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BaseChatModelParams,
} from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk, type BaseMessage, type UsageMetadata } from '@langchain/core/messages'
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs'
import type { ChatMessage, Delta, EngineSlot, GenerateOptions, Usage } from '../ports/engine.ts'

/** What one call may set. */
export interface HoneCallOptions extends BaseChatModelCallOptions {
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
}

/**
 * The serving engine as a LangChain chat model: whatever version serves answers, and a swap in the middle of a reply
 * changes nothing for it. A class because LangChain's models are.
 *
 * @example const reply = await new HoneChatModel(slot).invoke('What are the opening hours?')
 */
export class HoneChatModel extends BaseChatModel<HoneCallOptions> {
  readonly slot: EngineSlot

  constructor(slot: EngineSlot, fields: BaseChatModelParams = {}) {
    super(fields)
    this.slot = slot
  }

  override _llmType(): string {
    return 'hone'
  }

  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    let text = ''
    let message = new AIMessage('')
    for await (const { delta, version } of this.#deltas(messages, options)) {
      if (delta.kind === 'text') text += delta.text
      else message = new AIMessage({ content: text, ...metadata(delta, version) })
    }
    options.signal?.throwIfAborted()
    return { generations: [{ text, message }] }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    for await (const { delta, version } of this.#deltas(messages, options)) {
      const text = delta.kind === 'text' ? delta.text : ''
      const fields = delta.kind === 'end' ? { content: '', ...metadata(delta, version) } : { content: text }
      const chunk = new ChatGenerationChunk({ text, message: new AIMessageChunk(fields) })
      yield chunk
      if (text) await run?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk })
    }
    options.signal?.throwIfAborted()
  }

  /** The slot keeps the engine for as long as its callback runs, so the deltas come out through a pipe. */
  async *#deltas(messages: readonly BaseMessage[], options: this['ParsedCallOptions']): AsyncGenerator<Said> {
    const { readable, writable } = new TransformStream<Said, Said>()
    const writer = writable.getWriter()
    const work = this.slot
      .use(async (engine) => {
        const version = engine.version.id
        for await (const delta of engine.generate(toPrompt(messages), toOptions(options))) {
          await writer.write({ delta, version })
        }
      })
      .then(
        () => writer.close(),
        (error) => writer.abort(error),
      )
    // A reader who leaves early closes the pipe, and the next write ends the generation.
    work.catch(() => {})
    yield* readable
    await work
  }
}

/** A delta and the version it came from: by the end of a reply another one may serve. */
interface Said {
  readonly delta: Delta
  readonly version: string
}

/** Plain messages of LangChain's. Tool messages are given as what a person said, since no template knows them. */
function toPrompt(messages: readonly BaseMessage[]): readonly ChatMessage[] {
  return messages.map((message) => {
    const role = message.type === 'ai' ? 'assistant' : message.type === 'system' ? 'system' : 'user'
    return { role, content: message.text }
  })
}

function toOptions({ maxTokens, temperature, topP, seed, signal }: HoneCallOptions): GenerateOptions {
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(signal ? { signal } : {}),
  }
}

function metadata({ reason, usage }: { reason: string; usage: Usage }, version: string) {
  const { prompt, evaluated, completion } = usage
  const counts: UsageMetadata = {
    input_tokens: prompt,
    output_tokens: completion,
    total_tokens: prompt + completion,
    input_token_details: { cache_read: prompt - evaluated },
  }
  return {
    // With no message structure named, LangChain's types call this field `never`; at run time it is read as it stands.
    usage_metadata: counts as never,
    response_metadata: { finish_reason: reason, model_name: version },
  }
}
