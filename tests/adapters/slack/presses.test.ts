import assert from 'node:assert/strict'
import { HoneError } from '../../../src/errors.ts'
import { sqlite } from '../../../src/store/index.ts'
import { fakeBot } from '../../fakes/bot.ts'
import {
  channelMessage,
  press,
  pressInView,
  reaction,
  shortcut,
  slash,
  submission,
  viewClosed,
} from '../../fakes/slack/payloads.ts'
import { answered, root } from './answered.ts'
import { workplace } from './workplace.ts'

type Json = Record<string, unknown>

const vote = (turn: string, verdict: string) =>
  press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:${verdict}:${turn}`, thread: root })
const told = ({ slack }: Awaited<ReturnType<typeof answered>>) => slack.space.ephemerals.map(({ text }) => text)

describe('the modal below a thumbs-down in Slack', () => {
  it('that is closed leaves the vote, thanks for it, and lets it be withdrawn', async () => {
    await using place = await answered()
    await place.give(vote(place.turn, 'down'))
    const [modal] = place.slack.space.modals
    assert.equal(modal?.['notify_on_close'], true)
    assert.deepEqual(told(place), [])
    assert.equal(await place.give(viewClosed(modal as Json)), 'acknowledged')
    const [thanks] = place.slack.space.ephemerals
    assert.match(JSON.stringify(thanks), /that helps.*hone:withdraw:/)
    assert.deepEqual([thanks?.channel, await place.votes()], ['C1', ['slack:T1:UANNA down']])
  })

  it('says that it tries again, and does', async () => {
    const script = (text: string, nth: number) => ({ chunks: [`${text} ${nth}`] })
    await using place = await answered({ script })
    await place.give(vote(place.turn, 'down'))
    const again = { action: 'hone:retry-here', value: `hone:retry:${place.turn}` }
    await place.give(pressInView(again, place.slack.space.modals[0] as Json))
    await place.bot.idle()
    assert.deepEqual(
      place.slack.space.messages.map(({ text }) => text),
      ['Hello? 1', 'Hello? 2'],
    )
    assert.match(JSON.stringify(place.slack.space.modals[1]), /Trying again.*being written/)
  })

  it('keeps the reason with the vote, and what was left unchanged as no better answer', async () => {
    await using place = await answered()
    await place.give(vote(place.turn, 'down'))
    const values = {
      reason: { reason: { type: 'radio_buttons', selected_option: { value: 'sources' } } },
      better: { better: { type: 'plain_text_input', value: 'You said: Hello?' } },
    }
    await place.give(submission(place.slack.space.modals[0] as Json, values))
    const { votes, corrections } = await place.bot.store.feedback.ofTurn(place.turn)
    assert.deepEqual([votes.map(({ reason }) => reason), corrections], [['It cites the wrong documents'], []])
  })
})

describe('what is refused of a press in Slack', () => {
  it('is told in words to the one who pressed', async () => {
    await using place = await answered()
    place.bot.feedback = async () => Promise.reject(new HoneError('LIMIT', 'That were 60 votes in a minute.'))
    assert.equal(await place.give(vote(place.turn, 'up')), 'acknowledged')
    assert.match(told(place).join(), /60 votes in a minute\. Wait a little/)
  })

  it('is a reply to try again that is gone', async () => {
    await using place = await answered()
    await place.give(press({ action: 'hone:retry', value: 'hone:retry:b_gone', thread: root }))
    assert.match(told(place).join(), /not there any more/)
    assert.equal(place.slack.space.messages.length, 1)
  })

  it('is a better answer for a reply of another channel, whatever another app’s message holds', async () => {
    await using place = await answered()
    const chosen = shortcut('hone_correct', { ts: '1.1', blocks: place.message.blocks })
    await place.give({ ...chosen, channel: { id: 'C2', name: 'elsewhere' } })
    assert.deepEqual(place.slack.space.modals, [])
    assert.match(told(place).join(), /no reply of this bot/)
  })
})

describe('a command in Slack that changes something', () => {
  const yes = (value: string, responseUrl: string) => press({ action: 'hone:run', value, user: 'UADMIN', responseUrl })

  it('is done once, however many processes hear Yes', async () => {
    await using store = await sqlite(':memory:')
    const done: string[] = []
    const bot = () => ({
      ...fakeBot({ store }),
      command: async ({ text }: { text: string }) => ({ ok: done.push(text) > 0, text }),
    })
    await using one = await workplace(bot())
    await using other = await workplace(bot(), { server: one.slack })
    const body = yes('rollback', one.slack.url.replace('/api/', '/respond/1'))
    await Promise.all([one.give(body), other.give(body)])
    await other.give(body)
    assert.deepEqual(done, ['rollback'])
  })

  it('shows how a profile differs before it is promoted', async () => {
    await using place = await workplace(fakeBot())
    const respond = place.slack.url.replace('/api/', '/respond/1')
    for (const text of ['profile promote 3f2a', 'profile rollback', 'profile list'])
      await place.give(slash(text, respond, 'UADMIN'))
    await place.slack.until(() => place.slack.responses.length === 3)
    const [promote, rollback, list] = place.slack.responses.map((one) => JSON.stringify(one))
    assert.match(promote ?? '', /profile diff 3f2a.*shape replies from now on.*"value":"profile promote 3f2a confirm"/)
    assert.match(rollback ?? '', /"value":"profile rollback confirm"/)
    assert.doesNotMatch(list ?? '', /hone:run/)
  })

  it('that nobody may give is not asked back', async () => {
    await using place = await workplace(fakeBot())
    const respond = place.slack.url.replace('/api/', '/respond/1')
    for (const text of ['profile rollback', 'constructor', 'forget-me']) await place.give(slash(text, respond))
    await place.slack.until(() => place.slack.responses.length === 3)
    const asked = place.slack.responses.map((one) => /forget-me confirm/.test(JSON.stringify(one)))
    assert.deepEqual(asked, [false, false, true])
  })
})

describe('a reaction in Slack', () => {
  it('counts for a reply far down in a long thread', async () => {
    await using place = await answered({ reactions: true })
    const script = Array.from({ length: 150 }, (_, n) => n)
    for (const n of script) place.slack.space.add({ channel: 'C1', thread: root, text: `remark ${n}`, user: 'UBEN' })
    await place.give(channelMessage({ text: 'And now?', ts: '1763901002.000100', thread: root }))
    await place.bot.idle()
    const last = place.slack.space.messages.at(-1)
    const turn = /hone:up:(\w+)/.exec(JSON.stringify(last?.blocks))?.[1] ?? ''
    await place.give(reaction('+1', { channel: 'C1', ts: last?.ts ?? '' }))
    const { votes } = await place.bot.store.feedback.ofTurn(turn)
    assert.deepEqual(
      votes.map(({ verdict }) => verdict),
      ['up'],
    )
  })
})
