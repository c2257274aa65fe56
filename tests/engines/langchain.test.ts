import assert from 'node:assert/strict'
import { SimpleChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk, type UsageMetadata } from '@langchain/core/messages'
import { ChatGenerationChunk } from '@langchain/core/outputs'
import { FakeListChatModel, FakeStreamingChatModel } from '@langchain/core/utils/testing'
import { langchain } from '../../src/engines/langchain.ts'
import { HoneError } from '../../src/errors.ts'
import { ask, engineContract, run } from '../contracts/engine.ts'

const v0 = { id: 'v0', base: 'langchain' }
const words = 'one two three four five six'

engineContract('langchain around a list of replies', {
  open: () => langchain(new FakeListChatModel({ responses: [words] }))(v0),
})

describe('the langchain engine', () => {
  it('adds up the counts that a model spreads over its chunks', async () => {
    const engine = await langchain(new Counting({}), { contextTokens: 99 })(v0)
    const { text, usage } = await run(engine, ask('hello'))
    assert.equal(text, 'hi there')
    assert.deepEqual(usage, { prompt: 9, evaluated: 5, completion: 2 })
    assert.equal(engine.contextTokens, 99)
  })

  it('says when the model cut the reply short', async () => {
    const model = new FakeListChatModel({ responses: ['half'], generationInfo: { finish_reason: 'length' } })
    assert.equal((await run(await langchain(model)(v0), ask('hello'))).reason, 'length')
  })

  it('takes the text of a model that answers in blocks', async () => {
    const chunks = [new AIMessageChunk({ content: [{ type: 'text', text: 'a block' }] })]
    const engine = await langchain(new FakeStreamingChatModel({ chunks }))(v0)
    assert.equal((await run(engine, ask('hello'))).text, 'a block')
  })

  it('takes the whole answer of a model that does not stream', async () => {
    const model = new FakeStreamingChatModel({ responses: [new AIMessage('all at once')], disableStreaming: true })
    assert.equal((await run(await langchain(model)(v0), ask('hello'))).text, 'all at once')
  })

  it('converts what the model throws', async () => {
    const engine = await langchain(new FakeStreamingChatModel({ thrownErrorString: 'quota used up' }))(v0)
    await assert.rejects(
      run(engine, ask('hello')),
      (error) => error instanceof HoneError && error.code === 'ENGINE_FAILED' && /quota used up/.test(error.message),
    )
  })

  it('refuses a version with a LoRA', async () => {
    const lora = { id: 'l', path: '/l.gguf', sha256: 'ab' }
    await assert.rejects(
      langchain(new FakeListChatModel({ responses: ['x'] }))({ ...v0, id: 'v1', lora }),
      (error) => error instanceof HoneError && error.code === 'SWAP_REFUSED',
    )
  })
})

/** A model that gives its counts in two parts, as Anthropic's does. */
class Counting extends SimpleChatModel {
  override _llmType() {
    return 'counting'
  }
  override async _call() {
    return 'hi there'
  }
  override async *_streamResponseChunks() {
    yield piece('hi', { input_tokens: 9, output_tokens: 0, total_tokens: 9, input_token_details: { cache_read: 4 } })
    yield piece(' there', { input_tokens: 0, output_tokens: 2, total_tokens: 2 })
  }
}

function piece(text: string, usage: UsageMetadata): ChatGenerationChunk {
  return new ChatGenerationChunk({
    text,
    message: new AIMessageChunk({ content: text, usage_metadata: usage as never }),
  })
}
