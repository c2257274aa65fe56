import assert from 'node:assert/strict'
import type { Channel, Reply, ReplyEvent } from '../../../src/ports/channel.ts'
import { type Bench, fastClock, openBench } from '../../fakes/teams/bench.ts'
import { agents, botbuilder, type OpenHost } from '../../fakes/teams/hosts.ts'
import { appId } from '../../fakes/teams/issuer.ts'

const chats = 20
const words = 40
const everyMs = 400

/** A bench and the channel that Hone attached. */
async function openChannel(open: OpenHost): Promise<{ bench: Bench; channel: Channel }> {
  let channel: Channel | undefined
  const attached = (given: Channel) => {
    channel = given
    return () => undefined
  }
  const bench = await openBench(open, { adapter: 'own', appId, attached, clock: fastClock(20) })
  return { bench, channel: channel as Channel }
}

async function* reply(n: number, { clock }: Bench): AsyncGenerator<ReplyEvent> {
  let text = ''
  for (let word = 0; word < words; word++) {
    await clock.wait(everyMs)
    const more = `word${word} `
    text += more
    yield { kind: 'delta', text: more }
  }
  const made: Reply = { turn: `b_${n}`, text: `${text}end.`, sources: [], version: 'v0' }
  yield { kind: 'done', reply: made }
}

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`twenty chats at once in Teams (${name})`, () => {
    it('stream within Teams’s limits, whole, with few calls', async () => {
      const { bench, channel } = await openChannel(open)
      await using _ = bench
      const started = bench.clock.now()
      const tell = async (n: number) => {
        const chat = bench.chat({ conversation: `a:${n}` })
        const person = { id: chat.personId, name: 'Anna' }
        const event = { kind: 'message' as const, text: 'Hi', person, scopes: [], at: new Date() }
        const place = { id: `e${n}`, channel: 'teams', tenant: 't', thread: chat.thread }
        await channel.deliver({ ...event, ...place }, reply(n, bench))
        const [shown] = chat.shown()
        assert.ok(String(shown?.activity.text).endsWith('word39 end.'))
        assert.equal(chat.shown().length, 1)
      }
      await Promise.all(Array.from({ length: chats }, (_, n) => tell(n)))
      const seconds = (bench.clock.now() - started) / 1000
      const { calls } = bench.connector
      assert.deepEqual(
        calls.filter(({ fault }) => fault),
        [],
      )
      const most = Math.ceil(seconds / 1.5) + 2
      for (let n = 0; n < chats; n++) {
        const own = calls.filter(({ conversation }) => conversation === `a:${n}`)
        assert.ok(own.length <= most, `${own.length} calls in ${seconds} s`)
        assert.ok(own.length >= 3, 'it did stream')
      }
    })
  })
}
