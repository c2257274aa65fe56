import assert from 'node:assert/strict'
import { createBot } from '../../src/bot.ts'
import { silent } from '../../src/log.ts'
import type { Engine, EngineSlot } from '../../src/ports/engine.ts'
import type { Knowledge } from '../../src/ports/knowledge.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { exportFeedback } from '../../training/index.ts'
import { openHouse } from '../adapters/discord/house.ts'
import type { ApiMessage, Channel, FakePerson } from '../fakes/discord/index.ts'
import { openHouse as openSchool } from '../training/house.ts'

const profile = parseProfile('---\nname: desk\npassages: 1\n---\nYou answer from the handbook.', 'desk.md')
const passage = { id: 'p1', document: 'leave.md', title: 'Leave', text: 'It takes 25 days.', score: 1 }
const url = 'https://docs.example/leave'
const question = 'How long does leave take?'
const knowledge = { search: async () => [{ ...passage, url }] } as unknown as Knowledge

/** The same slot, whose engine stops after its first words until the promise is kept. */
function halting(slot: EngineSlot, until: Promise<void>): EngineSlot {
  const slowed = (engine: Engine): Engine => ({
    ...engine,
    async *generate(prompt, options) {
      for await (const delta of engine.generate(prompt, options)) {
        if (delta.kind !== 'text') {
          yield delta
          continue
        }
        yield { kind: 'text', text: delta.text.slice(0, 6) }
        await until
        yield { kind: 'text', text: delta.text.slice(6) }
      }
    },
  })
  return {
    get version() {
      return slot.version
    },
    use: (work) => slot.use((engine) => work(slowed(engine))),
    swap: (next, prove) => slot.swap(next, prove),
    borrow: (version, work) => slot.borrow(version, work),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** All of Hone but the model, in a Discord server, where the operator allows training on these channels. */
async function open(trainOn: readonly string[]) {
  const stack = new AsyncDisposableStack()
  const school = stack.use(await openSchool({ more: { trainOn } }))
  const shown = Promise.withResolvers<void>()
  const { store, learning } = school
  const slot = halting(school.slot, shown.promise)
  const bot = stack.use(await createBot({ store, slot, profile, log: silent, knowledge, learning, trainOn }))
  const { server, channel, guild } = stack.use(await openHouse(bot))
  const later = server.newChannel(guild, 'later')
  await server.until(() => server.state.commands.has('global'), 'the commands')
  const people = { anna: server.person('anna'), owner: server.owner() }
  const command = async (who: FakePerson, name: string, sub: string, where: Channel = channel) => {
    const { original } = await who.command(where, name, [{ type: 1, name: sub, options: [] }])
    const answer = () => where.messages.find(({ id }) => id === original)?.content ?? ''
    await server.until(() => answer() !== '', `an answer to ${sub}`)
    return answer()
  }
  /** Asks; resolves with what could be read of the reply at first, and the whole. */
  const ask = async (where: Channel) => {
    people.anna.say(where, question, { mention: true })
    const reply = () => server.said(where).find(({ message_reference }) => message_reference)
    await server.until(() => reply() !== undefined, 'the first words')
    const first = { ...reply() }
    shown.resolve()
    await server.until(() => JSON.stringify(reply()?.components).includes(':up:'), 'the whole reply')
    return { first, reply: reply() as ApiMessage }
  }
  return { ...people, school, server, channel, later, ask, command, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
type Journey = Awaited<ReturnType<typeof open>>

/** 👎 on a reply, a reason, and a better answer. */
async function correct({ anna, channel, school }: Journey, reply: ApiMessage): Promise<void> {
  const [button = '', turn = ''] = /hone:down:([\w-]+)/.exec(JSON.stringify(reply.components)) ?? []
  const pressed = await anna.press(channel, reply, button)
  assert.equal(pressed.answer?.type, 9, 'a form')
  const { votes } = await school.store.feedback.ofTurn(turn)
  assert.deepEqual(
    votes.map(({ verdict }) => verdict),
    ['down'],
  )
  const form = String(pressed.answer?.data.custom_id)
  await anna.submit(channel, form, { reason: 'Badly put', better: '25 days [1].' })
}

describe('Discord, from a mention to a version that learned from it', () => {
  it('streams a reply with sources, takes 👎 and a better answer, trains on them, and answers better', async () => {
    await using journey = await open(['web', 'discord'])
    const { school, server, channel, later, anna, owner, ask, command } = journey
    const { first, reply } = await ask(channel)
    assert.equal(first.content, 'That w')
    assert.match(JSON.stringify(first.components), /:stop:/)
    assert.equal(reply.id, first.id)
    assert.equal(
      reply.content,
      'That would be 25 days, I think [1].\n\n-# [1] [Leave](<https://docs.example/leave>) · leave.md',
    )

    await correct(journey, reply)
    const rows = (await exportFeedback(school.store, 'dpo', ['discord'])) as { chosen: unknown; rejected: unknown }[]
    assert.equal(rows.length, 1)
    assert.match(JSON.stringify(rows[0]?.chosen), /"25 days \[1\]\."/)
    assert.match(JSON.stringify(rows[0]?.rejected), /I think/)

    assert.match(await command(anna, 'hone-admin', 'retrain'), /for admins/)
    const started = await command(owner, 'hone-admin', 'retrain')
    const [, pairs, heldOut] = /Training has started: .* (\d+) pairs, (\d+) heldOut/.exec(started) ?? []
    assert.equal(Number(pairs) + Number(heldOut), 61, 'this pair is among them')
    const board = () => server.said(channel).filter(({ embeds }) => embeds.length > 0)
    await server.until(() => JSON.stringify(board()).includes('The new version serves'), 'the end of the run')
    assert.equal(board().length, 1)
    assert.equal(board()[0]?.attachments[0]?.filename, 'loss.png')
    await server.until(
      () => server.said(channel).some(({ content }) => /Training run .*promoted/.test(content)),
      'a word',
    )

    const { reply: better } = await ask(later)
    assert.match(better.content, /^25 days \[1\]\.\n/)
    assert.match(await command(anna, 'hone', 'why', later), /version \*\*v1\*\*/)
  })

  it('trains on nothing of it unless the operator has named Discord', async () => {
    await using journey = await open(['web'])
    const { school, channel, owner, ask, command } = journey
    await correct(journey, (await ask(channel)).reply)
    assert.match(await command(owner, 'hone', 'privacy'), /Nothing from this channel is used/)
    assert.match(await command(owner, 'hone-admin', 'retrain'), /1 channel not allowed/)
    assert.equal((await exportFeedback(school.store, 'dpo', ['web'])).length, 60)
  })
})
