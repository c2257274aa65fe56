import type { Channel } from '../../../src/ports/channel.ts'
import { type ChannelHarness, channelContract } from '../../contracts/channel.ts'
import { openBench } from '../../fakes/teams/bench.ts'
import { agents, botbuilder, type OpenHost } from '../../fakes/teams/hosts.ts'
import { appId } from '../../fakes/teams/issuer.ts'

const conversations = { 'a personal chat': 'a:anna', 'a channel': '19:team@thread.tacv2;messageid=7' }

for (const [name, open] of Object.entries({ botbuilder, agents }))
  for (const [what, conversation] of Object.entries(conversations))
    describe(`Teams as a channel, in ${what} (${name})`, () => channelContract(() => harness(open, conversation)))

async function harness(open: OpenHost, conversation: string): Promise<ChannelHarness> {
  let channel: Channel | undefined
  const attached = (given: Channel) => {
    channel = given
    return () => undefined
  }
  const bench = await openBench(open, { adapter: 'own', appId, attached })
  const chat = bench.chat({ conversation })
  if (!channel) throw new Error('Teams attached no channel.')
  const person = { id: chat.personId, name: 'Anna' }
  const place = { channel: 'teams', tenant: 't', thread: chat.thread, person, scopes: [], at: new Date(0) }
  return {
    channel,
    event: (name) => ({ kind: 'message', text: 'How many days?', id: `${chat.thread}:${name}`, ...place }),
    shown: async () => JSON.stringify(chat.shown()),
    close: async () => bench[Symbol.asyncDispose](),
  }
}
