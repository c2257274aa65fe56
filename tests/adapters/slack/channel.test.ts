import assert from 'node:assert/strict'
import { slack } from '../../../adapters/slack/index.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { channelContract } from '../../contracts/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { fakeSlack } from '../../fakes/slack/index.ts'
import { mention, press } from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { boltApp, hand, workplace } from './workplace.ts'

const ways = [
  { name: 'streaming', refuse: () => undefined },
  {
    name: 'editing, where Slack gives no stream',
    refuse: (method: string) => (method.includes('Stream') ? 'unknown_method' : undefined),
  },
  {
    name: 'in one message, where it takes no edits',
    refuse: (method: string) => (/Stream|update/.test(method) ? 'unknown_method' : undefined),
  },
]

for (const { name, refuse } of ways) {
  describe(`Slack as a channel, ${name}`, () => {
    channelContract(async () => {
      const server = await fakeSlack({ refuse })
      const bot = fakeBot()
      const attached: Channel[] = []
      slack(boltApp(server, hand()), {
        ...bot,
        attach: (one) => {
          attached.push(one)
          return () => undefined
        },
      })
      const base = { channel: 'slack', tenant: 'slack:T1', person: { id: 'slack:T1:UANNA', name: 'Anna' }, scopes: [] }
      return {
        channel: attached[0] as Channel,
        event: (name) => {
          const ts = `1763900000.${name.length}`
          return {
            kind: 'message',
            id: `slack:T1:C1:${ts}`,
            thread: `slack:T1:C1:${ts}`,
            text: name,
            at: new Date(1_763_900_000_000),
            ...base,
          }
        },
        shown: async () => server.space.messages.map(visible).join('\n'),
        close: async () => server[Symbol.asyncDispose](),
      }
    })
  })
}

describe('a reply in Slack', () => {
  for (const { name, refuse } of ways) {
    it(`takes votes, and gives another, ${name}`, async () => {
      const bot = fakeBot()
      await using place = await workplace(bot, { fake: { refuse } })
      await place.give(mention({ text: 'Hello?', ts: '1763900001.000100' }))
      await bot.idle()
      const [message, ...more] = place.slack.space.messages
      assert.deepEqual(more, [])
      const shown = visible(message as never)
      const turn = /hone:up:(\w+)/.exec(shown)?.[1] ?? ''
      for (const said of [`hone:down:${turn}`, `hone:retry:${turn}`]) assert.ok(shown.includes(said), said)
      const up = { action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${turn}` }
      await place.give(press({ ...up, ts: message?.ts ?? '' }))
      const { votes } = await bot.store.feedback.ofTurn(turn)
      assert.deepEqual(
        votes.map(({ verdict }) => verdict),
        ['up'],
      )
    })
  }
})

describe('a word of Slack that is no reply', () => {
  it('goes to the thread, or to the direct messages of the one it is for', async () => {
    await using server = await fakeSlack()
    const attached: Channel[] = []
    const attach = (one: Channel) => {
      attached.push(one)
      return () => undefined
    }
    slack(boltApp(server, hand()), { ...fakeBot(), attach })
    const [channel] = attached
    await channel?.notice?.('slack:T1:C1:1763900000.1', 'The run ended.')
    await channel?.notice?.('slack:T1:C1:1763900000.1', 'It was done.', { id: 'slack:T1:UANNA', name: 'Anna' })
    assert.deepEqual(
      server.space.messages.map(({ channel: where, thread }) => [where, thread]),
      [
        ['C1', '1763900000.1'],
        ['UANNA', undefined],
      ],
    )
    assert.equal(await channel?.tell?.({ id: 'slack:T1:UBEN', name: '' }, 'Your vote …', ['slack:T1:C1:1']), true)
    assert.equal(server.space.messages.at(-1)?.channel, 'UBEN')
  })
})
