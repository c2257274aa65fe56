import assert from 'node:assert/strict'
import { createBot } from '../../../src/bot.ts'
import { echo } from '../../../src/engines/echo.ts'
import { silent } from '../../../src/log.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { createSlot } from '../../../src/slot.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { type House, openHouse } from './house.ts'

const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou are the desk.', 'desk.md')

describe('the caps per person on Discord', () => {
  const stack = new AsyncDisposableStack()
  const store = memoryStore()
  let house: House
  before(async () => {
    const load = async (version: { readonly id: string }) => echo({ version: { base: 'e', ...version } })
    const slot = stack.use(await createSlot({ load, first: { id: 'v0', base: 'e' }, log: silent }))
    const limits = { questions: 2, presses: 2 }
    const bot = stack.use(await createBot({ store, slot, profile, limits, log: silent }))
    house = stack.use(await openHouse(bot, { register: false }))
  })
  after(() => stack.disposeAsync())
  const replies = () =>
    house.server.said(house.channel).filter(({ components }) => JSON.stringify(components).includes(':up:'))

  it('turn away what is too much once, not each message of a flood, and leave others their turn', async () => {
    const { server, channel } = house
    const [anna, bob] = [server.person('anna'), server.person('bob')]
    for (let n = 0; n < 30; n++) anna.say(channel, `question ${n}`, { mention: true })
    bob.say(channel, 'a question of mine', { mention: true })
    await server.until(() => replies().length === 3, 'three replies')
    const refused = server.said(channel).filter(({ content }) => content.startsWith('⚠️ That is more than 2 questions'))
    assert.equal(refused.length, 1)
    assert.equal(server.said(channel).length, 4)
    const asked = await anna.command(channel, 'ask', [{ type: 3, name: 'question', value: 'one more' }])
    const told = () => channel.messages.find(({ id }) => id === asked.original)?.content ?? ''
    await server.until(() => /more than 2 questions/.test(told()), 'a refusal')
  })

  it('keep a better answer once, though its form is sent again', async () => {
    const { server, channel } = house
    const dora = server.person('dora')
    const [reply] = replies()
    const [form = '', turn = ''] = /hone:correct:([\w-]+)/.exec(JSON.stringify(reply?.components)) ?? []
    for (let n = 0; n < 2; n++) await dora.submit(channel, form, { better: 'Just 25.' })
    const { corrections } = await store.feedback.ofTurn(turn)
    assert.deepEqual(
      corrections.map(({ text }) => text),
      ['Just 25.'],
    )
  })

  it('hold for presses: what is too much is told to the one who pressed, and not kept', async () => {
    const { server, channel } = house
    const cleo = server.person('cleo')
    const [reply] = replies()
    assert.ok(reply)
    const [id = '', turn = ''] = /hone:up:([\w-]+)/.exec(JSON.stringify(reply.components)) ?? []
    const said: string[] = []
    for (const action of ['up', 'withdraw', 'up', 'down']) {
      const { answer } = await cleo.press(channel, reply, id.replace(':up:', `:${action}:`))
      assert.equal(Number(answer?.data.flags) & 64, 64)
      said.push(String(answer?.data.content))
    }
    assert.match(said[0] ?? '', /Thank you/)
    for (const late of said.slice(2)) assert.match(late, /more than 2 votes and commands in a minute/)
    const { votes } = await store.feedback.ofTurn(turn)
    assert.deepEqual(
      votes.map(({ verdict }) => verdict).filter((verdict) => verdict !== 'none'),
      [],
    )
  })
})
