import assert from 'node:assert/strict'
import type { Bot } from '../../../src/ports/bot.ts'
import { type FakeBot, fakeBot } from '../../fakes/bot.ts'
import type { ApiMessage } from '../../fakes/discord/index.ts'
import { type House, openHouse } from './house.ts'

/** The same bot, whose disk is as slow as a test wants. */
function sluggish(bot: FakeBot, ready: () => Promise<unknown>): Bot {
  const { store, receive, command } = bot
  const { turns } = store
  return {
    ...bot,
    store: { ...store, turns: { ...turns, get: async (id) => ready().then(() => turns.get(id)) } },
    receive: async (event) => ready().then(() => receive(event)),
    command: async (request) => ready().then(() => command(request)),
  }
}

describe('an interaction that takes long', () => {
  let house: House
  afterEach(async () => house[Symbol.asyncDispose]())

  it('is deferred within Discord’s three seconds, whatever it is, and its outcome is told when it is there', async () => {
    let ready: Promise<unknown> = Promise.resolve()
    const bot = fakeBot()
    house = await openHouse(
      sluggish(bot, () => ready),
      { register: false },
    )
    const { server, channel } = house
    const anna = server.person('anna')
    anna.say(channel, 'one', { mention: true })
    const reply = () => server.said(channel).find(({ components }) => JSON.stringify(components).includes(':up:'))
    await server.until(() => reply() !== undefined, 'a reply')
    await bot.idle()
    const idOf = (action: string) => new RegExp(`hone:${action}:[^"]+`).exec(JSON.stringify(reply()))?.[0] ?? ''
    const press = (action: string) => anna.press(channel, reply() as ApiMessage, idOf(action))

    const slow = Promise.withResolvers<void>()
    ready = slow.promise
    const interactions = await Promise.all([
      ...['up', 'down', 'correct', 'retry'].map(press),
      anna.command(channel, 'hone', [{ type: 1, name: 'status', options: [] }]),
      anna.command(channel, 'ask', [{ type: 3, name: 'question', value: 'two' }]),
    ])
    assert.deepEqual(
      interactions.map(({ answer }) => [answer?.type, Number(answer?.data.flags ?? 0) & 64]),
      [...Array.from({ length: 5 }, () => [5, 64]), [5, 0]],
    )
    for (const { madeAt, answeredAt = Infinity } of interactions) assert.ok(answeredAt - madeAt < 3000)

    slow.resolve()
    const texts = () =>
      interactions.map(({ original }) => channel.messages.find(({ id }) => id === original)?.content ?? 'gone')
    await server.until(() => texts().every((text) => text !== ''), 'every outcome')
    await bot.idle()
    assert.deepEqual(texts(), [
      '👍 Thank you, noted.',
      '👎 Noted. Thank you.',
      'That took too long. Press once more.',
      'gone',
      'Command: **status**',
      'You said: two',
    ])
    assert.deepEqual(bot.said.map((event) => event.kind === 'vote' && event.verdict).toSorted(), ['down', 'up'])
    assert.equal(bot.received.filter(({ kind }) => kind === 'retry').length, 1)
  })
})
