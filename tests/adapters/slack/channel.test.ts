import { slack } from '../../../adapters/slack/index.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { channelContract } from '../../contracts/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { fakeSlack } from '../../fakes/slack/index.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { boltApp, hand } from './workplace.ts'

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
