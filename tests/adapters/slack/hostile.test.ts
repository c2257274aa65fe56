import assert from 'node:assert/strict'
import { turnIn } from '../../../adapters/slack/parse/interaction.ts'
import { HoneError } from '../../../src/errors.ts'
import { type FakeBotOptions, fakeBot } from '../../fakes/bot.ts'
import { channelMessage, homeOpened, mention, press, pressInView, reaction, slash } from '../../fakes/slack/payloads.ts'
import { answered, root } from './answered.ts'
import { type Workplace, workplace } from './workplace.ts'

type Json = Record<string, unknown>
const item = ({ message }: Awaited<ReturnType<typeof answered>>) => ({ channel: 'C1', ts: message.ts })
const responseUrl = (place: Workplace) => place.slack.url.replace('/api/', '/respond/1')

/** A bot that writes down the commands it is given. */
function obeying(options: FakeBotOptions = {}) {
  const bot = fakeBot(options)
  const obeyed: { text: string; admin: boolean }[] = []
  const command: typeof bot.command = async (request) => {
    obeyed.push({ text: request.text, admin: request.admin })
    return bot.command(request)
  }
  return { ...bot, command, obeyed }
}

describe('careless admins in Slack', () => {
  it('are asked back before a version is promoted, whatever else they write', async () => {
    const bot = obeying()
    await using place = await workplace(bot)
    await place.give(slash('promote v2 --dry-run', responseUrl(place), 'UADMIN'))
    await place.slack.until(() => place.slack.responses.length === 1)
    assert.deepEqual(bot.obeyed, [])
    await place.give(slash('retrain --dry-run', responseUrl(place), 'UADMIN'))
    assert.equal(bot.obeyed.length, 1)
  })

  it('that press Yes twice roll back once', async () => {
    const bot = obeying()
    await using place = await workplace(bot)
    const yes = { action: 'hone:run', value: 'rollback', user: 'UADMIN', responseUrl: responseUrl(place) }
    await Promise.all([place.give(press(yes)), place.give(press(yes))])
    assert.deepEqual(bot.obeyed, [{ text: 'rollback', admin: true }])
  })

  it('hear what a button of App Home did, in their own messages', async () => {
    await using place = await workplace(obeying())
    const pressed = { action: 'hone:run', value: 'rollback', user: 'UADMIN' }
    await place.give(pressInView(pressed, { type: 'home', blocks: [] }))
    const [told] = place.slack.space.messages
    assert.equal(told?.channel, 'UADMIN')
    assert.match(told?.text ?? '', /Command: \*\*rollback/)
  })

  it('share a file with a mention, and it is read once', async () => {
    const files: string[] = []
    const read = async ({ id }: { id: string }) => files.push(id)
    await using place = await workplace(fakeBot(), { read })
    const url = place.slack.url.replace('/api/', '/files/parking.md')
    const shared = (payload: Json) => ({
      ...payload,
      event: { ...(payload['event'] as Json), files: [{ id: 'F1', name: 'parking.md', url_private_download: url }] },
    })
    const said = { text: '', ts: root, user: 'UADMIN' }
    await Promise.all([
      place.give(shared(mention(said))),
      place.give(shared(channelMessage({ ...said, text: '<@UBOT>' }))),
    ])
    await place.slack.until(() => place.slack.space.ephemerals.length > 0)
    await place.give(shared(mention(said)))
    assert.deepEqual(files, ['F1'])
  })
})

describe('hostile people in Slack', () => {
  it('are no admins of App Home, whatever their press says', async () => {
    const bot = obeying()
    await using place = await workplace(bot)
    const { container: _, ...rest } = press({ action: 'hone:run', value: 'promote v9', user: 'UEVE' })
    await place.give({ ...rest, container: { type: 'view', view_id: 'V1' } })
    await place.give(press({ action: 'hone:run', value: 'promote v9', user: 'UEVE', responseUrl: responseUrl(place) }))
    assert.ok(bot.obeyed.filter(({ text }) => text === 'promote v9').every(({ admin }) => !admin))
    await place.give(homeOpened('home', 'UEVE'))
    assert.doesNotMatch(JSON.stringify(place.slack.space.homes.get('UEVE')), /Roll back/)
  })

  it('stop no reply of another workspace', async () => {
    const bot = fakeBot()
    await using place = await workplace(bot)
    await place.give(press({ action: 'hone:stop', value: 'hone:stop:slack:T2:C1:1.1' }))
    await place.give(press({ action: 'hone:stop', value: 'hone:stop:slack:T1:C1:1.1' }))
    assert.deepEqual(bot.stopped, ['slack:T1:C1:1.1'])
  })

  it('that have the bot say another reply’s button don’t vote on that', () => {
    const blocks = [
      { type: 'markdown', text: 'hone:up:b_other' },
      { type: 'actions', elements: [{ type: 'button', value: 'hone:up:b_own' }] },
    ]
    assert.equal(turnIn(blocks), 'b_own')
    assert.equal(turnIn(blocks.slice(0, 1)), undefined)
  })

  it('are told once what is wrong with a mention that comes as two events', async () => {
    const refusal = new HoneError('INPUT', 'The message is empty. Write something first.')
    await using place = await workplace({ ...fakeBot(), receive: async () => Promise.reject(refusal) })
    await Promise.all([
      place.give(mention({ text: '', ts: root })),
      place.give(channelMessage({ text: '<@UBOT>', ts: root })),
    ])
    await place.give(mention({ text: '', ts: '1763900002.000100' }))
    await place.slack.until(() => place.slack.calls.filter(({ method }) => method === 'chat.postEphemeral').length >= 2)
    assert.equal(place.slack.space.ephemerals.length, 2)
  })
})

describe('reactions in Slack', () => {
  it('to what people write ask Slack for nothing', async () => {
    await using place = await answered({ reactions: true })
    await place.give(reaction('+1', { channel: 'C1', ts: '1763900000.000001' }, { author: 'UBEN' }))
    await place.give(reaction('+1', item(place), { user: 'UBOT' }))
    assert.ok(!place.slack.calls.some(({ method }) => method === 'conversations.replies'))
    assert.deepEqual(await place.votes(), [])
  })

  it('that are taken back withdraw their own vote alone', async () => {
    await using place = await answered({ reactions: true })
    await place.give(reaction('+1', item(place)))
    await place.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:down:${place.turn}` }))
    await place.give(reaction('+1', item(place), { removed: true }))
    assert.deepEqual(await place.votes(), ['slack:T1:UANNA down'])
    await place.give(reaction('-1', item(place), { removed: true }))
    assert.deepEqual(await place.votes(), [])
  })
})

describe('an app installed in a whole organisation', () => {
  it('loses no vote, though Slack names no workspace in it', async () => {
    await using place = await answered({ reactions: true })
    const body = press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${place.turn}` })
    await place.give({ ...body, team: null })
    assert.deepEqual(await place.votes(), ['slack:T1:UANNA up'])
  })
})
