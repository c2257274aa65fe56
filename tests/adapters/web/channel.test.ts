import assert from 'node:assert/strict'
import { web } from '../../../adapters/web/index.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { type ChannelHarness, channelContract } from '../../contracts/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { visitor } from './visitor.ts'

describe('the web page as a channel', () => {
  channelContract(harness)

  it('tells a person something in a conversation of theirs, if they have one', async () => {
    const { channel, event, close } = await harness()
    const { person, thread } = event('first')
    assert.deepEqual(
      [await channel.tell?.(person, 'Your vote …', [thread]), await channel.tell?.(person, 'Hi', [])],
      [true, false],
    )
    await close?.()
  })
})

async function harness(): Promise<ChannelHarness> {
  let channel: Channel | undefined
  const bot: Bot = {
    ...fakeBot(),
    attach(attached) {
      channel = attached
      return () => undefined
    },
  }
  const person = { id: 'web:anna', name: 'Anna' }
  const site = web(bot, { adminToken: 'x', secret: 'signs', host: '127.0.0.1', person: () => person })
  const anna = visitor(site)
  if (!channel) throw new Error('The page attached no channel.')
  const place = { channel: 'web', tenant: 'web', thread: 'web:anna:t1', person, scopes: [], at: new Date(0) }
  return {
    channel,
    event: (name) => ({ kind: 'message', text: 'How many days?', id: `web:anna:${name}`, ...place }),
    shown: () => anna.page('/t/t1'),
    close: async () => site.detach(),
  }
}
