import assert from 'node:assert/strict'
import type { Channel, Inbound, Reply, ReplyEvent } from '../../../src/ports/channel.ts'
import { type Bench, channelOn, openBench } from '../../fakes/teams/bench.ts'
import { type Chat, isComplete } from '../../fakes/teams/chat.ts'
import { agents, botbuilder } from '../../fakes/teams/hosts.ts'
import { streamInfo } from '../../fakes/teams/rules.ts'

const whole = 'You get 25 days a year.'
const done = (text: string): ReplyEvent => ({
  kind: 'done',
  reply: { turn: 'b_1', text, sources: [], version: 'v0' } satisfies Reply,
})
const gate = () => Promise.withResolvers<void>()

async function* told(...events: (ReplyEvent | Promise<unknown>)[]): AsyncGenerator<ReplyEvent> {
  for (const event of events) {
    if (event instanceof Promise) await event
    else yield event
  }
}

function eventIn({ thread, personId }: Chat, begun?: readonly string[]): Inbound {
  const person = { id: personId, name: 'Anna' }
  const base = { id: 'e1', channel: 'teams', tenant: 't', thread, person, scopes: [], at: new Date(0) }
  return { ...base, kind: 'message', text: 'How many days?', ...(begun ? { begun } : {}) }
}

/** What people see, and whether it is whole. */
const seen = (chat: Chat) =>
  chat.shown().map(({ activity: { type, text } }) => (type === 'message' ? text : `(half) ${text}`))

/** Resolves with the messages that are kept for an event. */
function keeping({ bot }: Bench): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>()
  bot.store.inbox.amend = async ({ begun = [] }) => resolve(begun)
  return promise
}

/** A reply whose telling is cut off in the middle: the process is gone. Resolves with what it had kept by then. */
function cutOff(bench: Bench, chat: Chat, text: string): Promise<readonly string[]> {
  const kept = keeping(bench)
  void channelOn(bench).deliver(eventIn(chat), told({ kind: 'delta', text: `${text} ` }, new Promise(() => undefined)))
  return kept
}

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`a reply in Teams that a crash cut off (${name})`, () => {
    it('is not shown twice when it stood there already, whole', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const kept = keeping(bench)
      const [first] = await channelOn(bench).deliver(
        eventIn(chat),
        told({ kind: 'status', text: 'Searching' }, kept, done(whole)),
      )
      assert.deepEqual(await kept, [first?.id])
      const again = await channelOn(bench).deliver(eventIn(chat, await kept), told(done(whole)))
      assert.deepEqual(seen(chat), [whole])
      assert.deepEqual(again, [first], 'a vote on it finds its turn')
    })

    it('is ended in the stream it was begun in', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const begun = await cutOff(bench, chat, 'You get 25')
      await bench.clock.wait(2000)
      await channelOn(bench).deliver(eventIn(chat, begun), told(done(whole)))
      assert.deepEqual(seen(chat), [whole])
      assert.equal(streamInfo(chat.shown()[0]?.activity as never)?.streamType, 'final')
    })

    it('is put into the message it was begun in when Teams has ended the stream', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const begun = await cutOff(bench, chat, 'You get 25')
      await bench.clock.wait(130_000)
      await channelOn(bench).deliver(eventIn(chat, begun), told(done(whole)))
      assert.deepEqual(seen(chat), [whole])
      const data = chat.shown()[0]?.activity['channelData']
      assert.deepEqual(data, { feedbackLoop: { type: 'default' } }, 'it has its thumbs')
    })

    it('is a message of its own when it has become another one, or the first is gone', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const begun = await cutOff(bench, chat, 'Nobody knows')
      await bench.clock.wait(2000)
      await channelOn(bench).deliver(eventIn(chat, begun), told(done(whole)))
      assert.deepEqual(seen(chat), ['(half) Nobody knows', whole])
      const ben = bench.chat({ conversation: 'a:ben', who: 'Ben' })
      await channelOn(bench).deliver(eventIn(ben, ['deleted']), told(done(whole)))
      assert.deepEqual(seen(ben), [whole])
    })

    it('is one message, too, when Teams ends its stream by itself', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const over = { status: 403, code: 'ContentStreamNotAllowed', message: 'finished due to exceeded streaming time.' }
      bench.connector.refuseNext((activity) => streamInfo(activity)?.streamType === 'streaming', over)
      const begun = keeping(bench)
      const ended = bench.connector.until(() => bench.connector.calls.some(({ fault }) => fault))
      const events = told(
        { kind: 'status', text: 'Searching' },
        begun,
        { kind: 'delta', text: 'You get ' },
        ended,
        done(whole),
      )
      await channelOn(bench).deliver(eventIn(chat), events)
      assert.deepEqual(seen(chat), [whole])
    })

    it('stays as it is when the person had stopped it', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const begun = await cutOff(bench, chat, 'You get 25')
      bench.connector.stop(chat.conversation)
      await channelOn(bench).deliver(eventIn(chat, begun), told(done('You get 25')))
      assert.deepEqual(seen(chat), ['(half) You get 25'])
    })

    it('is shown once in a chat whose stream an earlier process left open, though the next one dies as well', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      await cutOff(bench, chat, 'Half of another reply')
      await bench.clock.wait(2000)
      const kept = keeping(bench)
      // The process dies with the answer of Teams to its last call unread: nothing but what it kept is left of it.
      await channelOn(bench).deliver(eventIn(chat), told(done(whole)))
      await channelOn(bench).deliver(eventIn(chat, await kept), told(done(whole)))
      assert.deepEqual(seen(chat), ['(half) Half of another reply', whole])
    })

    it('is shown once in a group, too', async () => {
      await using bench = await openBench(open)
      const group = bench.chat({ conversation: '19:g@thread.v2', kind: 'groupChat' })
      const kept = keeping(bench)
      await channelOn(bench).deliver(eventIn(group), told(done(whole)))
      // All that a process leaves that dies before it has read what Teams said of the reply.
      const refs = await channelOn(bench).deliver(eventIn(group, await kept), told(done(whole)))
      assert.deepEqual(seen(group), [whole])
      assert.deepEqual(
        refs.map(({ id }) => id),
        [group.shown()[0]?.id],
      )
    })

    it('is sent by itself where Teams lets nobody edit the line that stands for it', async () => {
      await using bench = await openBench(open)
      const group = bench.chat({ conversation: '19:g@thread.v2', kind: 'groupChat' })
      bench.connector.refuseNext(({ text }) => text === whole, { status: 403, code: 'Forbidden', message: 'No edits' })
      await channelOn(bench).deliver(eventIn(group), told(done(whole)))
      assert.deepEqual(seen(group), ['One moment …', whole])
    })

    it('has no message, the further ones of a long reply included, that is not known on disk before it says anything', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const kept: (readonly string[])[] = []
      bench.bot.store.inbox.amend = async ({ begun = [] }) => {
        assert.deepEqual(
          chat
            .shown()
            .slice(0, -1)
            .filter((one) => !isComplete(one)),
          [],
        )
        assert.equal(isComplete(chat.shown().at(-1)), kept.length % 2 === 1)
        kept.push(begun)
      }
      const long = `${'Many words. '.repeat(900)}\n\n${'And more. '.repeat(900)}`
      await channelOn(bench).deliver(eventIn(chat), told(done(long)))
      assert.equal(chat.shown().length, 2)
      await channelOn(bench).deliver(eventIn(chat, kept.at(-1)), told(done(long)))
      assert.equal(chat.shown().length, 2)
    })

    it('is known on disk by its message before its end is sent', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat()
      const disk = gate()
      bench.bot.store.inbox.amend = () => disk.promise
      const streaming = bench.connector.until(() => chat.shown().length === 1)
      const events = told({ kind: 'status', text: 'Searching' }, streaming, done(whole))
      const delivered = channelOn(bench).deliver(eventIn(chat), events)
      await streaming
      await bench.clock.wait(10_000)
      assert.equal(chat.shown()[0]?.activity.type, 'typing')
      disk.resolve()
      await delivered
      assert.deepEqual(seen(chat), [whole])
    })

    it('is not told as broken when Hone is only restarted', async () => {
      await using bench = await openBench(open)
      const [chat, group] = [bench.chat(), bench.chat({ conversation: '19:g@thread.v2', kind: 'groupChat' })]
      for (const where of [chat, group])
        await channelOn(bench).deliver(eventIn(where), told({ kind: 'delta', text: 'You get ' }))
      assert.deepEqual(
        [...seen(chat), ...seen(group)].filter((text) => !text?.startsWith('(half)')),
        [],
      )
    })

    it('is answered at once when Hone is given the adapter', async () => {
      await using bench = await openBench(open)
      const chat = bench.chat({ conversation: 'a:never-heard-of-since-the-start' })
      const channel: Channel = channelOn(bench)
      bench.hone.detach()
      bench.bot.attach(channel)
      await bench.bot.receive(eventIn(chat))
      assert.equal((await chat.answered()).activity.text, 'You said: How many days?')
    })
  })
}
