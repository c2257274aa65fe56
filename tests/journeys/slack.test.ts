import assert from 'node:assert/strict'
import { SocketModeReceiver } from '@slack/bolt'
import { durable, type SlackChannel, slack } from '../../adapters/slack/index.ts'
import { createBot } from '../../src/bot.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Knowledge } from '../../src/ports/knowledge.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { exportFeedback } from '../../training/index.ts'
import { boltApp } from '../adapters/slack/workplace.ts'
import { type FakeSlack, fakeSlack } from '../fakes/slack/index.ts'
import { mention, press, slash, submission } from '../fakes/slack/payloads.ts'
import { visible } from '../fakes/slack/workspace.ts'
import { type House, openHouse } from '../training/house.ts'

type Json = Record<string, unknown>
const profile = parseProfile('---\nname: desk\npassages: 1\n---\nYou answer from the handbook.', 'desk.md')
const knowledge = {
  search: async () => [
    {
      id: 'p1',
      document: 'leave.md',
      title: 'Leave',
      text: 'It takes 25 days.',
      score: 1,
      url: 'https://docs.example/leave',
    },
  ],
} as unknown as Knowledge

/** The whole of Hone but the model, in a Slack over Socket Mode, allowed to train on it. */
async function openOffice() {
  const server = await fakeSlack()
  const house = await openHouse({ more: { trainOn: ['web', 'slack'] } })
  const { store, slot, learning } = house
  const bot = await createBot({ store, slot, profile, log: silent, knowledge, learning, trainOn: ['web', 'slack'] })
  const socket = new SocketModeReceiver({
    appToken: 'xapp-1',
    logLevel: 'error' as never,
    installerOptions: { clientOptions: { slackApiUrl: server.url } },
  })
  const app = boltApp(server, durable(socket, { teams: ['T1'] }))
  const channel = slack(app, bot, { admins: ['UADMIN'] })
  await app.start()
  return { server, house, bot, app, channel }
}

describe('Slack, from a mention to a version that learned from it', () => {
  let office: { server: FakeSlack; house: House; bot: Bot; app: { stop(): Promise<unknown> }; channel: SlackChannel }
  before(async () => {
    office = await openOffice()
  })
  after(async () => {
    office.channel.detach()
    await office.app.stop()
    await office.server.until(() => !office.server.socket.connected)
    await office.bot[Symbol.asyncDispose]()
    await office.server[Symbol.asyncDispose]()
    await office.house[Symbol.asyncDispose]()
  })
  const replies = () => office.server.space.messages.filter((message) => visible(message).includes('feedback_buttons'))
  // A thread that the split trains on: a fifth of all threads is held out for the gate.
  const ts = '1763900105.000100'
  let turn = ''

  it('a mention gets a streamed reply with sources and thumbs', async () => {
    const { server } = office
    await server.socket.send('events_api', mention({ text: 'How long does leave take?', ts }))
    await server.until(() => replies().length === 1)
    const [reply] = replies()
    assert.equal(reply?.streamed, true)
    assert.match(reply?.text ?? '', /25 days, I think \[1\]/)
    assert.match(visible(reply as never), /https:\/\/docs\.example\/leave\|Leave/)
    turn = /hone:up:([\w]+)/.exec(visible(reply as never))?.[1] ?? ''
    assert.ok(turn)
  })

  it('a redelivered mention, and the same message as another event, are answered once', async () => {
    const { server } = office
    await server.socket.send('events_api', mention({ text: 'How long does leave take?', ts }), 1)
    await server.socket.send('events_api', mention({ text: 'How long does leave take?', ts: '1763900106.000100' }))
    await server.until(() => replies().length === 2)
    assert.equal(replies().filter(({ thread }) => thread === ts).length, 1)
  })

  it('a thumbs-down opens a modal that asks why and what would be better', async () => {
    const { server, house } = office
    const [reply] = replies()
    await server.socket.send(
      'interactive',
      press({
        action: 'hone:feedback',
        type: 'feedback_buttons',
        value: `hone:down:${turn}`,
        ts: reply?.ts ?? '',
        thread: ts,
      }),
    )
    await server.until(() => server.space.modals.length === 1)
    const { votes } = await house.store.feedback.ofTurn(turn)
    assert.deepEqual(
      votes.map(({ person, verdict }) => [person, verdict]),
      [['slack:T1:UANNA', 'down']],
    )
  })

  it('a better answer becomes a pair in the export', async () => {
    const { server, house } = office
    const [modal] = server.space.modals
    const values = {
      reason: {
        reason: { type: 'radio_buttons', selected_option: { text: { type: 'plain_text', text: 'x' }, value: 'style' } },
      },
      better: { better: { type: 'plain_text_input', value: '25 days [1].' } },
    }
    await server.socket.send('interactive', submission(modal as Json, values))
    await server.until(() => server.space.ephemerals.some(({ text }) => /Thanks for the better answer/.test(text)))
    const rows = (await exportFeedback(house.store, 'dpo', ['slack'])) as { chosen: unknown; rejected: unknown }[]
    assert.equal(rows.length, 1)
    assert.match(JSON.stringify(rows[0]?.chosen), /"25 days \[1\]\."/)
    assert.match(JSON.stringify(rows[0]?.rejected), /I think/)
    assert.equal((await exportFeedback(house.store, 'dpo', ['web'])).length, 60)
  })

  it('retraining is for admins and asks back first', async () => {
    const { server } = office
    const respond = server.url.replace('/api/', '/respond/1')
    await server.socket.send('slash_commands', slash('retrain', respond))
    await server.until(() => server.responses.length === 1)
    assert.match(JSON.stringify(server.responses[0]), /is for admins/)
    await server.socket.send('slash_commands', slash('retrain', respond, 'UADMIN'))
    await server.until(() => server.responses.length === 2)
    assert.match(JSON.stringify(server.responses[1]), /hone:run/)
    assert.equal(server.responses[1]?.['response_type'], 'ephemeral')
  })

  it('a run shows its progress in the channel, and the new version answers', async () => {
    const { server, house } = office
    const respond = server.url.replace('/api/', '/respond/2')
    await server.socket.send(
      'interactive',
      press({ action: 'hone:run', value: 'retrain', user: 'UADMIN', responseUrl: respond }),
    )
    await server.until(() =>
      server.space.messages.some((message) => visible(message).includes('The new version serves')),
    )
    const progress = server.space.messages.filter((message) => visible(message).includes('*Training*'))
    assert.equal(progress.length, 1)
    assert.match(visible(progress[0] as never), /[▁▂▃▄▅▆▇█]/)
    await server.until(() => server.space.messages.some((message) => /Training run .*promoted/.test(visible(message))))
    assert.equal(house.slot.version.id, 'v1')
    const [learned] = (await house.learning.versions()).filter(({ serving }) => serving)
    assert.ok(learned?.pairs.some(({ rejected, people }) => rejected === turn && people.includes('slack:T1:UANNA')))
    const before = replies().length
    await server.socket.send('events_api', mention({ text: 'How long does leave take?', ts: '1763900107.000100' }))
    await server.until(() => replies().length > before)
    assert.equal(replies().at(-1)?.text, '25 days [1].')
  })
})
