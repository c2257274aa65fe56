import assert from 'node:assert/strict'
import { admitted } from '../../../adapters/slack/receive/admit.ts'
import { openSlack } from '../../../src/cli/slack.ts'
import { readConfig } from '../../../src/config.ts'
import { silent } from '../../../src/log.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { fakeSlack } from '../../fakes/slack/index.ts'
import { directMessage, mention, press, reaction, shortcut } from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { workplace } from './workplace.ts'

type Json = Record<string, unknown>
const root = '1763900001.000100'

/** The same, by someone of another company in a channel that both share. */
function shared(body: Json, home = 'T9'): Json {
  const event = { ...(body['event'] as Json), user_team: home, source_team: home, team: home }
  return { ...body, is_ext_shared_channel: true, event }
}
const byOutsider = (body: Json): Json => ({ ...body, user: { ...(body['user'] as Json), id: 'UEVE', team_id: 'T9' } })

/** A channel shared with T9, where Anna of T1 was given a reply. */
async function office(options: Parameters<typeof workplace>[1] = {}) {
  const bot = fakeBot()
  const place = await workplace(bot, { admins: ['UADMIN', 'UEVE'], reactions: true, ...options })
  await place.give(shared(mention({ text: 'Hello?', ts: root }), 'T1'))
  await bot.idle()
  const [message] = place.slack.space.messages
  const turn = /hone:up:(\w+)/.exec(message ? visible(message) : '')?.[1] ?? ''
  const verdicts = async () => (await bot.store.feedback.ofTurn(turn)).votes.map(({ verdict }) => verdict)
  const dispose = place[Symbol.asyncDispose]
  return { ...place, bot, turn, ts: message?.ts ?? '', verdicts, [Symbol.asyncDispose]: dispose }
}

describe('a Slack channel shared with another company', () => {
  const asked = mention({ text: 'What do you know?', ts: '1763900002.000100', user: 'UEVE' })

  it('answers the own people, and tells the others why not', async () => {
    await using place = await office()
    assert.ok(place.turn)
    await place.give(shared(asked))
    await place.slack.until(() => place.slack.space.ephemerals.length === 1)
    assert.match(place.slack.space.ephemerals[0]?.text ?? '', /its own workspace/)
    assert.equal(place.bot.received.length, 1)
  })

  it('keeps no vote, no better answer and no reaction of the others', async () => {
    await using place = await office()
    const up = press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${place.turn}` })
    assert.equal(await place.give(byOutsider(up)), 'acknowledged')
    await place.give(byOutsider(shortcut('hone_correct', { ts: place.ts, blocks: [] })))
    await place.give(shared(reaction('+1', { channel: 'C1', ts: place.ts }, { user: 'UEVE' })))
    assert.deepEqual([await place.verdicts(), place.bot.said, place.slack.space.modals], [[], [], []])
  })

  it('makes none of the others an admin, even of a workspace that is named', async () => {
    for (const partners of [[], ['T9']]) {
      await using place = await office({ partners, read: async () => assert.fail('The file was read.') })
      const obeyed: boolean[] = []
      place.bot.command = async ({ admin }) => ({ ok: obeyed.push(admin) > 0, text: '' })
      await place.give(byOutsider(press({ action: 'hone:run', value: 'promote v9' })))
      const files = [{ id: 'F1', name: 'x.md', url_private_download: place.slack.url }]
      const withFile = shared(asked)
      await place.give({ ...withFile, event: { ...(withFile['event'] as Json), files } })
      assert.ok(!obeyed.includes(true))
    }
  })

  it('answers and hears those whose workspace the operator named', async () => {
    await using place = await office({ partners: ['T9'] })
    await place.give(shared(asked))
    await place.bot.idle()
    assert.equal(place.bot.received[1]?.tenant, 'slack:T1')
    const up = press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${place.turn}` })
    await place.give(byOutsider(up))
    assert.deepEqual(await place.verdicts(), ['up'])
  })
})

describe('a Slack app that is installed in a whole organisation', () => {
  const say = (team: string, enterprise: string): Json => {
    const body = directMessage({ text: 'Hello?', ts: root })
    const authorizations = [{ enterprise_id: enterprise, team_id: team, is_enterprise_install: true }]
    return { ...body, team_id: team, authorizations }
  }

  it('lets in each of its workspaces, as a tenant of its own, and no other organisation', async () => {
    const whole = { user_id: 'UBOT', bot_id: 'BBOT', team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: true }
    await using server = await fakeSlack({ answers: { 'auth.test': whole } })
    const bot = fakeBot()
    const env = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', HONE_SLACK_API: server.url }
    const profile = parseProfile('---\nname: desk\n---\nYou are the desk.', 'desk.md')
    const parts = {
      knowledge: async () => Promise.reject(new Error('not asked for')),
      profiles: async () => ({ serving: profile }),
    }
    await using _ = await openSlack(bot, readConfig(env), silent, parts)
    await server.socket.send('events_api', say('T1', 'E1'))
    await server.socket.send('events_api', say('T2', 'E1'))
    await server.socket.send('events_api', say('T3', 'E9'))
    await bot.idle()
    assert.deepEqual(
      bot.received.map(({ tenant }) => tenant),
      ['slack:T1', 'slack:T2'],
    )
  })

  it('takes an event of a shared channel for the installation it was sent to', () => {
    const body = { ...say('T1', 'E1'), team_id: 'T9' }
    assert.equal(admitted(body, { teams: ['T1'] }), undefined)
    assert.match(admitted(body, { teams: ['T9'] }) ?? '', /not known/)
  })
})
