import assert from 'node:assert/strict'
import type { ReplyEvent } from '../../../src/ports/channel.ts'
import { type FakeSlack, fakeSlack } from '../../fakes/slack/index.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { attached, attachTo, event, handClock, reply } from './delivering.ts'

const question = event(1)
const root = question.thread.split(':').at(-1) ?? ''
const text = 'Twenty-five days.'

/** What a process has said of a reply when it dies, each piece after Slack heard of the one before: the events simply end. */
async function* cut(server: FakeSlack, pieces: readonly string[]): AsyncGenerator<ReplyEvent> {
  for (const piece of pieces) {
    const calls = server.calls.length
    yield { kind: 'delta', text: piece }
    await server.until(() => server.calls.length > calls)
  }
}

for (const streams of [true, false]) {
  const how = streams ? 'streamed' : 'edited'
  const refuse = (method: string) => (!streams && method.includes('Stream') ? 'unknown_method' : undefined)

  describe(`a reply in Slack that was ${how} and cut off by a crash`, () => {
    it('is made whole in the message that was begun', async () => {
      await using server = await fakeSlack({ refuse })
      await attachTo(server).deliver(question, cut(server, ['Twenty-']))
      assert.equal(server.space.messages.length, 1)
      await attachTo(server).deliver(question, reply('b_1', { words: [text] }))
      const [message] = server.space.messages
      assert.equal(server.space.messages.length, 1)
      assert.match(visible(message as never), /Twenty-five days\..*hone:up:b_1/)
      assert.equal(message?.streamingSince, undefined)
      assert.deepEqual(
        [...(message?.tasks.values() ?? [])].map(({ status }) => status).filter((status) => status !== 'complete'),
        [],
      )
    })

    it('never writes into the reply to another question of the thread', async () => {
      await using server = await fakeSlack({ refuse })
      const other = { ...question, id: `${question.id}9`, text: 'And in Riga?' }
      await attachTo(server).deliver(other, cut(server, ['Thirty, ']))
      const [theirs] = structuredClone(server.space.messages)
      await attachTo(server).deliver(question, reply('b_1', { words: [text] }))
      assert.equal(server.space.messages.length, 2)
      assert.deepEqual(server.space.messages[0], theirs)
      assert.match(visible(server.space.messages[1] as never), /Twenty-five/)
    })

    it('of several messages is not told twice', async () => {
      await using server = await fakeSlack({ refuse })
      const lines = Array.from({ length: 400 }, (_, i) => `line ${i} of an answer that goes on and on and on\n`)
      const pieces = [0, 100, 200, 300].map((from) => lines.slice(from, from + 100).join(''))
      await attachTo(server, handClock()).deliver(question, cut(server, pieces))
      assert.ok(server.space.messages.length >= 2)
      const refs = await attachTo(server, handClock()).deliver(question, reply('b_1', { words: lines }))
      const shown = server.space.messages.flatMap((message) => visible(message).match(/line \d+ of/g) ?? [])
      assert.deepEqual(
        shown,
        lines.map((_, i) => `line ${i} of`),
      )
      const again = await attachTo(server, handClock()).deliver(question, reply('b_1', { words: lines }))
      assert.deepEqual(again, refs)
      assert.equal(server.space.messages.length, refs.length)
    })
  })
}

describe('what stands in a thread when a crash left a question open', () => {
  it('and carries no mark of Hone’s is the host’s own, and left alone', async () => {
    const { server, channel } = await attached()
    await using _ = server
    server.space.add({ channel: 'C1', thread: root, ts: `${Number(root) + 5}`, text: 'The host: one moment.' })
    await channel.deliver(question, reply('b_1', { words: [text] }))
    assert.equal(server.space.messages.length, 2)
    assert.equal(server.space.messages[0]?.text, 'The host: one moment.')
  })
})
