import assert from 'node:assert/strict'
import { fakeBot } from '../../fakes/bot.ts'
import { mention } from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { attached, event, handClock, reply } from './delivering.ts'
import { workplace } from './workplace.ts'

const words = ['Twenty-five ', 'days ', 'a year.']
const thumbs = /hone:up:b_1"/

describe('a reply for which Slack can’t be reached', () => {
  it('waits until Slack is there again, and is told whole, once', async () => {
    let away = 10
    const { server, channel } = await attached({ breaks: () => (away-- > 0 ? 'unheard' : undefined) }, handClock())
    await using _ = server
    const refs = await channel.deliver(event(1), reply('b_1', { words }))
    assert.ok(away <= 0)
    assert.equal(server.space.messages.length, 1)
    assert.match(visible(server.space.messages[0] as never), /Twenty-five days a year\..*hone:up:b_1/)
    assert.deepEqual(
      refs.map(({ id }) => id),
      server.space.messages.map(({ ts }) => ts),
    )
  })

  for (const method of ['chat.startStream', 'chat.postMessage', 'chat.stopStream', 'chat.appendStream']) {
    it(`stands there once, though the answer to ${method} got lost`, async () => {
      let lost = 1
      const breaks = (called: string) => (called === method && lost-- > 0 ? 'unanswered' : undefined)
      const refuse = (called: string) =>
        method === 'chat.postMessage' && called.includes('Stream') ? 'unknown_method' : undefined
      const { server, channel } = await attached({ breaks, refuse }, handClock())
      await using _ = server
      let nth = 0
      const wait = async () => {
        nth += 1
        if (nth === 2) await server.until(() => server.space.messages.length > 0)
        if (nth === 3 && method === 'chat.appendStream') await server.until(() => lost <= 0)
      }
      await channel.deliver(event(1), reply('b_1', { words, wait }))
      assert.ok(lost <= 0, 'the call was never made')
      const seen = server.space.messages.map(visible)
      assert.equal(seen.length, 1)
      assert.match(seen.join(), /Twenty-five days a year\./)
      assert.equal(seen.join().match(/Twenty-five/g)?.length, 1)
      assert.match(seen.join(), thumbs)
      assert.deepEqual(
        server.space.messages.map(({ streamingSince }) => streamingSince),
        [undefined],
      )
    })
  }

  it('is given up when Slack stays away, and the core is told', async () => {
    const { server, channel } = await attached({ breaks: () => 'unheard' }, handClock())
    await using _ = server
    await assert.rejects(channel.deliver(event(1), reply('b_1', { words })), { code: 'slack_webapi_request_error' })
  })

  it('is left to the next start when the bot is detached meanwhile', async () => {
    const asked: string[] = []
    const breaks = (method: string) => {
      asked.push(method)
      return method === 'auth.test' ? undefined : ('unheard' as const)
    }
    const bot = fakeBot()
    // Also asked for how long to look an admin up, before the reply: that clock stands still.
    const wait = async () => {
      if (!asked.includes('chat.startStream')) return new Promise<void>(() => undefined)
      place.channel.detach()
    }
    await using place = await workplace(bot, { fake: { breaks }, wait })
    await place.give(mention({ text: 'Hello?', ts: '1763900001.000100' }))
    await bot.idle()
    assert.equal(bot.undelivered.length, 1)
    assert.ok(asked.includes('chat.startStream') && !asked.includes('conversations.replies'))
  })
})
