import assert from 'node:assert/strict'
import { commandSet, commandText } from '../../../adapters/discord/commands.ts'
import { discord } from '../../../adapters/discord/index.ts'
import { plot } from '../../../adapters/discord/plot.ts'
import { createBot } from '../../../src/bot.ts'
import { commandList } from '../../../src/commands.ts'
import { echo } from '../../../src/engines/echo.ts'
import { silent } from '../../../src/log.ts'
import type { Bot, CommandInfo } from '../../../src/ports/bot.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { createSlot } from '../../../src/slot.ts'
import { type FakeLearning, fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { type House, keptLog, openHouse } from './house.ts'

const named = (name: string) => commandList.find((command) => command.name === name) as CommandInfo

describe('commands on Discord', () => {
  let bot: Bot
  let learning: FakeLearning
  let house: House
  let anna: ReturnType<House['server']['person']>
  beforeEach(async () => {
    const store = memoryStore()
    learning = fakeLearning(store)
    const profile = parseProfile('---\nname: desk\n---\nYou are the desk.', 'desk.md')
    const slot = await createSlot({
      load: async (version) => echo({ version }),
      first: { id: 'v0', base: 'e' },
      log: silent,
    })
    bot = await createBot({ store, slot, profile, log: silent, learning })
  })
  afterEach(async () => house?.[Symbol.asyncDispose]())
  const open = async (admins: readonly string[] = []) => {
    house = await openHouse(bot, { admins })
    anna = house.server.person('anna')
  }
  const registered = () =>
    house.server.state.calls.filter(({ method, path }) => method === 'PUT' && /commands$/.test(path))
  const run = async (name: string, sub: string, options: readonly unknown[] = [], who = anna) => {
    const { answer, original } = await who.command(house.channel, name, [{ type: 1, name: sub, options }])
    const message = () => house.channel.messages.find(({ id }) => id === original)
    await house.server.until(() => (message()?.content ?? '') !== '', 'an answer')
    return { answer, text: message()?.content ?? '' }
  }

  it('are made from the one table, with options, permissions and menus', () => {
    const set = commandSet(commandList, 'answer')
    assert.deepEqual(
      set.map(({ name }) => name),
      ['ask', 'hone', 'hone-admin', 'Suggest a better answer', 'Why this answer?'],
    )
    const admin = set.find(({ name }) => name === 'hone-admin')
    assert.equal(admin?.default_member_permissions, '32')
    assert.match(JSON.stringify(admin), /"name":"version","description":"Version","required":true,"autocomplete":true/)
    assert.match(JSON.stringify(admin), /"choices":\[.*\{"name":"dpo"/)
    assert.match(
      JSON.stringify(admin),
      /"name":"action","description":"Action","required":true,"choices":\[\{"name":"list"/,
    )
    for (const { name, admin: forAdmins } of commandList) {
      const group = set.find((one) => one.name === (forAdmins ? 'hone-admin' : 'hone'))
      assert.match(JSON.stringify(group), new RegExp(`"type":1,"name":"${name}"`))
    }
  })

  it('become the text that a person would have typed, and no more than that', () => {
    const values: Record<string, string | boolean> = {
      method: 'dpo',
      'dry-run': true,
      version: '--force v2',
      confirm: true,
      action: 'promote',
      profile: '3f2a --force',
    }
    const text = (name: string) => commandText(named(name), (option) => values[option])
    assert.equal(text('retrain'), 'retrain --dry-run --method dpo')
    assert.equal(text('promote'), 'promote force')
    assert.equal(text('profile'), 'profile promote 3f2a confirm')
    assert.equal(text('forget-me'), 'forget-me confirm')
    assert.equal(
      commandText(named('forget-me'), () => undefined),
      'forget-me',
    )
  })

  it('are registered once, and again only when they changed; a host keeps its own', async () => {
    await open()
    await house.server.until(() => registered().length === 1, 'the registration')
    const { server, client } = house
    const kept = server.state.commands.get('global') as readonly Record<string, unknown>[]
    server.state.commands.set('global', [
      ...kept.slice(1),
      { id: '7', type: 1, name: 'mine', description: 'The host’s' },
    ])
    house.handle.detach()
    let again = discord(client, bot)
    await server.until(() => registered().length === 2, 'the second registration')
    const now = server.state.commands.get('global') as readonly { name: string }[]
    assert.deepEqual(now.map(({ name }) => name).toSorted(), [
      'Suggest a better answer',
      'Why this answer?',
      'ask',
      'hone',
      'hone-admin',
      'mine',
    ])
    again.detach()
    const reads = () =>
      server.state.calls.filter(({ method, path }) => method === 'GET' && /commands$/.test(path)).length
    const before = reads()
    again = discord(client, bot)
    await server.until(() => reads() > before, 'a look at the commands')
    again.detach()
    assert.equal(registered().length, 2)
  })

  it('answer in private', async () => {
    await open()
    const { answer, text } = await run('hone', 'status')
    assert.equal(Number(answer?.data.flags) & 64, 64)
    assert.match(text, /Version \*\*v0\*\* serves/)
    assert.match(text, /Votes are trained on from: no channel/)
  })

  it('say what is trained on here', async () => {
    await open()
    assert.match((await run('hone', 'privacy')).text, /Nothing from this channel is used for training/)
  })

  it('train only for admins, and not for who merely manages a server', async () => {
    await open()
    anna.manages()
    assert.match((await run('hone-admin', 'retrain')).text, /for admins/)
    assert.deepEqual(learning.calls, [])
  })

  it('know the owner of the application', async () => {
    await open()
    await house.server.until(() => registered().length === 1, 'the registration')
    assert.match((await run('hone-admin', 'rollback', [], house.server.owner())).text, /\*\*v0\*\* serves now/)
  })

  it('know who of a team may change the application', async () => {
    await open()
    house.handle.detach()
    const { application } = house.server.state
    const member = (user: unknown, role: string, membership_state: number) => ({ user, role, membership_state })
    const [bob, cleo] = ['bob', 'cleo'].map((name) => house.server.person(name))
    assert.ok(bob && cleo)
    const members = [member(anna.user, 'developer', 2), member(bob.user, 'read_only', 2), member(cleo.user, 'admin', 1)]
    application.team = { id: '5', name: 'Garden', icon: null, owner_user_id: application.owner.id, members }
    const logged = keptLog()
    const handle = discord(house.client, bot, { log: logged.log })
    await house.server.until(() => logged.lines.some(({ event }) => event === 'discord.commands'), 'the team')
    assert.match((await run('hone-admin', 'rollback')).text, /serves now/)
    for (const who of [bob, cleo]) assert.match((await run('hone-admin', 'rollback', [], who)).text, /for admins/)
    handle.detach()
  })

  it('show a training run live, with a plot, to its end', async () => {
    await open()
    house.handle.detach()
    const handle = discord(house.client, bot, { admins: [anna.user.id] })
    assert.match((await run('hone-admin', 'retrain')).text, /Training has started/)
    await learning.advance(8)
    const board = () => house.server.said(house.channel).find(({ embeds }) => embeds.length > 0)
    await house.server.until(() => JSON.stringify(board()?.embeds ?? '').includes('8/40'), 'the eighth step')
    await learning.finish('promote')
    await house.server.until(() => JSON.stringify(board()?.embeds).includes('promoted'), 'the end')
    const [picture] = board()?.attachments ?? []
    assert.equal(picture?.filename, 'loss.png')
    assert.deepEqual(picture?.bytes, plot(learning.steps().map(({ loss }) => loss)))
    assert.match(JSON.stringify(board()?.embeds), /attachment:\/\/loss\.png/)
    handle.detach()
  })

  it('show a run no more once its message was deleted', async () => {
    await open()
    house.handle.detach()
    const handle = discord(house.client, bot, { admins: [anna.user.id] })
    await run('hone-admin', 'retrain')
    await learning.advance(1)
    const { messages } = house.channel
    const board = () => messages.findIndex(({ embeds }) => embeds.length > 0)
    await house.server.until(() => board() >= 0, 'the run')
    messages.splice(board(), 1)
    const lost = () => house.server.state.calls.filter(({ status }) => status === 404).length
    await learning.advance(8)
    await house.server.until(() => lost() > 0, 'a refused edit')
    await learning.finish('promote')
    await run('hone', 'status')
    assert.equal(lost(), 1)
    handle.detach()
  })

  it('complete versions', async () => {
    await open()
    const options = [{ type: 1, name: 'promote', options: [{ type: 3, name: 'version', value: 'v', focused: true }] }]
    const { answer } = await anna.complete(house.channel, 'hone-admin', options)
    assert.deepEqual(answer?.data, { choices: [{ name: 'v0 (serves now)', value: 'v0' }] })
  })
})

describe('the plot of a run', () => {
  it('is a PNG picture once there is something to draw', () => {
    assert.equal(plot([1]), undefined)
    const picture = plot([3, 2, Number.NaN, 1])
    assert.equal(picture?.subarray(1, 4).toString(), 'PNG')
    assert.equal(picture?.readUInt32BE(16), 480)
  })
})
