import assert from 'node:assert/strict'
import { type ChannelHarness, channelContract } from '../../contracts/channel.ts'
import { channelOn, openBench } from '../../fakes/teams/bench.ts'
import { agents, botbuilder, type OpenHost } from '../../fakes/teams/hosts.ts'

const conversations = { 'a personal chat': 'a:anna', 'a channel': '19:team@thread.tacv2;messageid=7' }

for (const [name, open] of Object.entries({ botbuilder, agents }))
  for (const [what, conversation] of Object.entries(conversations))
    describe(`Teams as a channel, in ${what} (${name})`, () => channelContract(() => harness(open, conversation)))

describe('what Teams tells one person alone', () => {
  it('goes to their personal chat with the bot, and nowhere where there is none', async () => {
    await using bench = await openBench(botbuilder)
    const [own, team] = Object.values(conversations).map((conversation) => bench.chat({ conversation }))
    assert.ok(own && team)
    const tell = (...threads: readonly string[]) =>
      channelOn(bench).tell?.({ id: own.personId, name: '' }, 'Your vote …', threads)
    assert.deepEqual([await tell(team.thread), await tell(team.thread, own.thread)], [false, true])
    const shown = [own, team].map((chat) => JSON.stringify(chat.shown()).includes('Your vote'))
    assert.deepEqual(shown, [true, false])
  })
})

async function harness(open: OpenHost, conversation: string): Promise<ChannelHarness> {
  const bench = await openBench(open)
  const chat = bench.chat({ conversation })
  const person = { id: chat.personId, name: 'Anna' }
  const place = { channel: 'teams', tenant: 't', thread: chat.thread, person, scopes: [], at: new Date(0) }
  return {
    channel: channelOn(bench),
    event: (name) => ({ kind: 'message', text: 'How many days?', id: `${chat.thread}:${name}`, ...place }),
    shown: async () => JSON.stringify(chat.shown()),
    close: async () => bench[Symbol.asyncDispose](),
  }
}
