import assert from 'node:assert/strict'
import { HumanMessage, SystemMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { echo } from '../../src/engines/echo.ts'
import { langchain } from '../../src/engines/langchain.ts'
import { HoneError } from '../../src/errors.ts'
import { asEmbeddings, asRetriever, asRunnable, HoneChatModel } from '../../src/langchain/index.ts'
import { silent } from '../../src/log.ts'
import type { AskOptions, Bot } from '../../src/ports/bot.ts'
import type { ReplyEvent } from '../../src/ports/channel.ts'
import type { EngineSlot, Version } from '../../src/ports/engine.ts'
import type { Knowledge, SearchOptions } from '../../src/ports/knowledge.ts'
import { createSlot } from '../../src/slot.ts'
import { engineContract } from '../contracts/engine.ts'

const v0: Version = { id: 'v0', base: 'echo' }
const slotOf = () => createSlot({ load: async (version) => echo({ version }), first: v0, log: silent })

engineContract('langchain around our own chat model', {
  open: async () => langchain(new HoneChatModel(await slotOf()))(v0),
})

describe('the chat model', () => {
  let slot: EngineSlot
  beforeEach(async () => {
    slot = await slotOf()
  })
  afterEach(() => slot[Symbol.asyncDispose]())

  it('answers whole, with counts, its end and its version', async () => {
    const reply = await new HoneChatModel(slot).invoke([new SystemMessage('Be brief.'), new HumanMessage('a b c')])
    assert.equal(reply.text, 'a b c')
    assert.deepEqual(reply.response_metadata, { finish_reason: 'stop', model_name: 'v0' })
    assert.equal((reply.usage_metadata as unknown as { output_tokens: number }).output_tokens, 3)
  })

  it('works in a chain of LangChain’s own parts, streaming', async () => {
    const prompt = ChatPromptTemplate.fromMessages([['human', 'say {what} now']])
    const chain = prompt.pipe(new HoneChatModel(slot)).pipe(new StringOutputParser())
    const pieces: string[] = []
    for await (const piece of await chain.stream({ what: 'hello' })) pieces.push(piece)
    assert.equal(pieces.join(''), 'say hello now')
    assert.ok(pieces.filter(Boolean).length >= 3)
  })

  it('takes options with a call', async () => {
    const reply = await new HoneChatModel(slot).invoke('a b c d', { maxTokens: 2 })
    assert.equal(reply.text, 'a b')
    assert.equal(reply.response_metadata.finish_reason, 'length')
  })

  it('finishes a reply on the version it began with', async () => {
    let pieces = 0
    let named: unknown
    for await (const chunk of await new HoneChatModel(slot).stream('a b c d')) {
      if (pieces++ === 0) await slot.swap({ id: 'v1', base: 'echo' })
      named = chunk.response_metadata.model_name ?? named
    }
    assert.equal(named, 'v0')
    assert.equal(slot.version.id, 'v1')
  })

  it('throws when it is aborted, as LangChain’s models do', async () => {
    const signal = AbortSignal.abort()
    await assert.rejects(new HoneChatModel(slot).invoke('a b', { signal }), /abort/i)
  })

  it('lets go of the engine when a reader leaves early', async () => {
    for await (const _ of await new HoneChatModel(slot).stream('a b c d e f')) break
    await slot.swap({ id: 'v1', base: 'echo' })
    assert.equal((await new HoneChatModel(slot).invoke('x')).text, 'x')
  })
})

const reply = (text: string) => ({ turn: 't', text, sources: [], version: 'v0' })

/** A bot that answers with these events and keeps what it was asked. */
function botThat(...events: readonly ReplyEvent[]) {
  const asked: { readonly text: string; readonly options: AskOptions | undefined }[] = []
  async function* ask(text: string, options?: AskOptions): AsyncGenerator<ReplyEvent> {
    asked.push({ text, options })
    yield* events
  }
  return { asked, bot: { ask } as Partial<Bot> as Bot }
}

describe('the bot as a runnable', () => {
  it('gives the reply whole, and streams it', async () => {
    const { bot } = botThat(
      { kind: 'status', text: 'Searching' },
      { kind: 'delta', text: 'From 9 ' },
      { kind: 'delta', text: 'to 5.' },
      { kind: 'done', reply: reply('From 9 to 5.') },
    )
    assert.equal(await asRunnable(bot).invoke('Opening hours?'), 'From 9 to 5.')
    const pieces: string[] = []
    for await (const piece of await asRunnable(bot).stream('Opening hours?')) pieces.push(piece)
    assert.deepEqual(pieces, ['From 9 ', 'to 5.'])
  })

  it('asks in the thread that the question names', async () => {
    const { bot, asked } = botThat({ kind: 'done', reply: reply('yes') })
    assert.equal(await asRunnable(bot, { tenant: 'web' }).invoke({ question: 'And Sunday?', thread: 'web:1' }), 'yes')
    assert.equal(asked[0]?.text, 'And Sunday?')
    assert.deepEqual([asked[0]?.options?.thread, asked[0]?.options?.tenant], ['web:1', 'web'])
  })

  it('pipes into other runnables', async () => {
    const { bot } = botThat({ kind: 'duel', duel: 'd', left: reply('left'), right: reply('right') })
    assert.equal(
      await asRunnable(bot)
        .pipe((text: string) => text.toUpperCase())
        .invoke('x'),
      'LEFT',
    )
  })

  it('throws what the bot reports', async () => {
    const { bot } = botThat({ kind: 'error', code: 'ENGINE_FAILED', message: 'It broke.' })
    await assert.rejects(
      asRunnable(bot).invoke('x'),
      (error) => error instanceof HoneError && error.code === 'ENGINE_FAILED' && error.message === 'It broke.',
    )
  })
})

describe('the retriever', () => {
  it('asks only for what its asker may see, and gives documents', async () => {
    const asked: SearchOptions[] = []
    const search: Knowledge['search'] = async (_, options) => {
      asked.push(options)
      return [{ id: 'p1', document: 'hours.md', title: 'Hours', text: 'From 9.', score: 0.5, url: 'https://x/hours' }]
    }
    const knowledge = { search } as Partial<Knowledge> as Knowledge
    const [document] = await asRetriever(knowledge, { tenant: 'web', scopes: ['staff'], limit: 2 }).invoke('hours?')
    assert.deepEqual(asked, [{ tenant: 'web', scopes: ['staff'], limit: 2 }])
    assert.equal(document?.pageContent, 'From 9.')
    assert.deepEqual(document?.metadata, { source: 'hours.md', title: 'Hours', score: 0.5, url: 'https://x/hours' })
  })
})

describe('the embeddings', () => {
  it('are the engine’s own', async () => {
    const embeddings = asEmbeddings(echo())
    const [one, two] = await embeddings.embedDocuments(['a b', 'c'])
    assert.deepEqual(await embeddings.embedQuery('a b'), one)
    assert.equal(one?.length, two?.length)
  })

  it('need an engine that has them', () => {
    const { embed: _, ...bare } = echo()
    assert.throws(
      () => asEmbeddings(bare),
      (error) => error instanceof HoneError && error.code === 'ENGINE_MISSING',
    )
  })
})
