import assert from 'node:assert/strict'
import { type FileToRead, feedbackBlocks, logTurn } from '../../../adapters/slack/index.ts'
import { sqlite } from '../../../src/store/index.ts'
import { fakeBot } from '../../fakes/bot.ts'
import {
  channelMessage,
  directMessage,
  envelope,
  fileShared,
  homeOpened,
  mention,
  press,
  reaction,
  shortcut,
  slash,
  stopPressed,
  threadStarted,
} from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { answered, root } from './answered.ts'
import { workplace } from './workplace.ts'

type Json = Record<string, unknown>
describe('talking in Slack', () => {
  it('says of a message whether an admin wrote it', async () => {
    const bot = fakeBot()
    await using place = await workplace(bot, { admins: ['UADMIN'] })
    await place.give(directMessage({ text: 'Hello', ts: root, user: 'UADMIN' }))
    await place.give(directMessage({ text: 'Hello', ts: '1763900002.000100' }))
    await bot.idle()
    assert.deepEqual(
      bot.received.map(({ admin }) => admin),
      [true, undefined],
    )
  })

  it('answers direct messages in a thread below them', async () => {
    const bot = fakeBot()
    await using place = await workplace(bot)
    await place.give(directMessage({ text: 'Hi &amp; hello', ts: root }))
    await bot.idle()
    const [message] = place.slack.space.messages
    assert.equal(message?.text, 'You said: Hi & hello')
    assert.equal(message?.thread, root)
  })

  it('answers in threads it is part of without being called, and nowhere else', async () => {
    await using place = await answered()
    await place.give(channelMessage({ text: 'And in Riga?', ts: '1763900002.000100', thread: root }))
    await place.give(channelMessage({ text: 'Elsewhere', ts: '1763900003.000100', thread: '1763800000.000100' }))
    await place.give(channelMessage({ text: 'Just chatting', ts: '1763900004.000100' }))
    await place.give(channelMessage({ text: '<@UBEN> what do you think?', ts: '1763900005.000100', thread: root }))
    await place.bot.idle()
    assert.deepEqual(
      place.slack.space.messages.map(({ text }) => text),
      ['You said: Hello?', 'You said: And in Riga?'],
    )
  })

  const ignored: Readonly<Record<string, Json>> = {
    'its own messages': envelope({
      type: 'message',
      channel_type: 'im',
      channel: 'D1',
      user: 'UBOT',
      text: 'x',
      ts: '1.1',
    }),
    edits: envelope({
      type: 'message',
      channel_type: 'im',
      channel: 'D1',
      subtype: 'message_changed',
      message: { user: 'UANNA', text: 'x', ts: '1.1' },
      ts: '1.2',
    }),
    'other bots': envelope({
      type: 'message',
      channel_type: 'im',
      channel: 'D1',
      user: 'U9',
      bot_id: 'B9',
      text: 'x',
      ts: '1.1',
    }),
    'old-style bots': envelope({
      type: 'message',
      channel_type: 'im',
      channel: 'D1',
      subtype: 'bot_message',
      bot_id: 'B9',
      text: 'x',
      ts: '1.1',
    }),
    'people who join': envelope({
      type: 'message',
      channel_type: 'channel',
      channel: 'C1',
      subtype: 'channel_join',
      user: 'UANNA',
      text: '<@UBOT>',
      ts: '1.1',
    }),
    'messages that were deleted': envelope({
      type: 'message',
      channel_type: 'im',
      channel: 'D1',
      subtype: 'message_deleted',
      ts: '1.2',
    }),
  }
  for (const [what, payload] of Object.entries(ignored)) {
    it(`ignores ${what}`, async () => {
      const bot = fakeBot()
      await using place = await workplace(bot)
      await place.give(payload)
      assert.deepEqual(bot.received, [])
    })
  }

  it('takes a mention that comes as two events once', async () => {
    const bot = fakeBot()
    await using place = await workplace(bot)
    await place.give(mention({ text: 'Hello?', ts: root }))
    await place.give(channelMessage({ text: '<@UBOT> Hello?', ts: root }))
    await bot.idle()
    assert.equal(place.slack.space.messages.length, 1)
  })

  it('says what to do when a message is refused', async () => {
    const bot = fakeBot()
    const { HoneError } = await import('../../../src/errors.ts')
    const picky = {
      ...bot,
      receive: async () => Promise.reject(new HoneError('INPUT', 'The message is empty. Write something first.')),
    }
    await using place = await workplace(picky)
    await place.give(mention({ text: '', ts: root }))
    await place.slack.until(() => place.slack.space.ephemerals.length === 1)
    assert.match(place.slack.space.ephemerals[0]?.text ?? '', /Write something first/)
  })

  it('ends the reply when Stop is pressed', async () => {
    const never = new Promise(() => {})
    const bot = fakeBot({ script: () => ({ chunks: ['Half ', never] }) })
    await using place = await workplace(bot)
    await place.give(directMessage({ text: 'Tell me everything', ts: root }))
    await place.slack.until(() => place.slack.space.messages.length === 1)
    await place.give(stopPressed(root))
    await bot.idle()
    assert.deepEqual(bot.stopped, [`slack:T1:D1:${root}`])
    assert.equal(place.slack.space.messages[0]?.streamingSince, undefined)
  })

  it('shows that it is at work, and that it no longer is', async () => {
    await using place = await answered()
    assert.deepEqual(
      place.slack.space.statuses.map(({ status }) => status),
      ['processing'],
    )
    const stop = place.slack.calls.find(({ method }) => method === 'chat.stopStream')
    assert.equal(stop?.args['session_status'], 'active')
  })

  it('falls back to the older status for apps that are no agents', async () => {
    const refuse = (method: string) => (method.startsWith('agents.') ? 'not_an_agent' : undefined)
    const bot = fakeBot()
    await using place = await workplace(bot, { fake: { refuse } })
    await place.give(directMessage({ text: 'Hello?', ts: root }))
    await bot.idle()
    assert.deepEqual(
      place.slack.space.statuses.map(({ status }) => status),
      ['is thinking…'],
    )
    assert.equal(place.slack.space.messages.length, 1)
  })

  it('offers questions where a conversation begins, on both surfaces', async () => {
    await using place = await workplace(fakeBot(), { prompts: ['How do I take leave?', 'Who is who?', 'c', 'd', 'e'] })
    await place.give(homeOpened('messages'))
    await place.give(threadStarted(root))
    const [agent, older] = place.slack.space.prompts
    assert.equal((agent?.['prompts'] as unknown[] | undefined)?.length, 4)
    assert.equal(agent?.['thread_ts'], undefined)
    assert.equal(older?.['thread_ts'], root)
  })

  it('reads files that an admin shares, for the people of that channel, and nobody else’s', async () => {
    const files: FileToRead[] = []
    const read = async (file: FileToRead) => files.push(file)
    await using place = await workplace(fakeBot(), { admins: ['UADMIN'], read })
    const shared = (user: string, url: string, ts = root) => fileShared({ url, ts, user })
    const url = place.slack.url.replace('/api/', '/files/parking.md')
    await place.give(shared('UADMIN', url))
    await place.slack.until(() => place.slack.space.ephemerals.length === 1)
    assert.match(place.slack.space.ephemerals[0]?.text ?? '', /parking\.md/)
    assert.deepEqual(
      files.map(({ name, tenant, scope }) => [name, tenant, scope]),
      [['parking.md', 'slack:T1', 'slack:T1:D1']],
    )
    assert.match(new TextDecoder().decode(files[0]?.bytes), /behind the house/)
    await place.give(shared('UANNA', url, '1763900002.000100'))
    await place.give(shared('UADMIN', 'https://evil.example/x', '1763900003.000100'))
    await place.slack.until(() => place.slack.space.ephemerals.length === 3)
    const told = place.slack.space.ephemerals.slice(1).map(({ user, text }) => `${user}: ${text}`)
    assert.match(told.toSorted().join(), /UADMIN: .*does not lie in Slack.*UANNA: Files are read only when an admin/)
    assert.equal(files.length, 1)
  })

  it('acknowledges a shared file at once, though it takes Slack long to say who is an admin', async () => {
    const breaks = (method: string) => (method === 'usergroups.users.list' ? ('unheard' as const) : undefined)
    const wait = () => new Promise(() => undefined)
    await using store = await sqlite(':memory:')
    const bot = fakeBot({ store })
    await using place = await workplace(bot, { admins: ['SADMINS'], read: async () => 1, wait, fake: { breaks } })
    assert.equal(await place.give(fileShared({ url: 'https://files.slack.com/x', ts: root })), 'acknowledged')
    assert.equal((await store.inbox.unsettled()).length, 1)
  })

  it('keeps a message, as nobody special’s, though Slack never says who is an admin', async () => {
    const breaks = (method: string) => (method === 'usergroups.users.list' ? ('unheard' as const) : undefined)
    const wait = (ms: number) => (ms === 1000 ? Promise.resolve() : new Promise(() => undefined))
    const bot = fakeBot()
    await using place = await workplace(bot, { admins: ['SADMINS'], wait, fake: { breaks } })
    assert.equal(await place.give(mention({ text: 'Who am I?', ts: root })), 'acknowledged')
    assert.deepEqual(
      bot.received.map((event) => [event.kind, event.admin]),
      [['message', undefined]],
    )
  })

  it('reads after a crash what it was told to read before', async () => {
    await using store = await sqlite(':memory:')
    const never = Promise.withResolvers<number>()
    await using dying = await workplace(fakeBot({ store }), { read: () => never.promise })
    const url = dying.slack.url.replace('/api/', '/files/parking.md')
    assert.equal(await dying.give(fileShared({ url, ts: root, user: 'UADMIN' })), 'acknowledged')
    const again: FileToRead[] = []
    const read = async (file: FileToRead) => again.push(file)
    await using next = await workplace(fakeBot({ store }), { read, server: dying.slack })
    await next.slack.until(() => next.slack.space.ephemerals.length === 1)
    assert.deepEqual(
      again.map(({ id, tenant, scope }) => [id, tenant, scope]),
      [['F1', 'slack:T1', 'slack:T1:D1']],
    )
    while ((await store.inbox.unsettled()).length > 0) await new Promise(setImmediate)
  })

  it('does nothing more once it is detached', async () => {
    await using place = await answered()
    place.channel.detach()
    await place.give(mention({ text: 'Still there?', ts: '1763900009.000100' }))
    assert.equal(place.bot.received.length, 1)
  })
})

describe('judging in Slack', () => {
  it('keeps a vote before it is acknowledged, and lets it be changed and withdrawn', async () => {
    await using place = await answered()
    const give = (value: string) =>
      place.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value, thread: root }))
    assert.equal(await give(`hone:up:${place.turn}`), 'acknowledged')
    assert.deepEqual(await place.votes(), ['slack:T1:UANNA up'])
    await give(`hone:down:${place.turn}`)
    assert.deepEqual(await place.votes(), ['slack:T1:UANNA down'])
    assert.equal(place.slack.space.modals.length, 1)
    await place.give(press({ action: 'hone:withdraw', value: `hone:withdraw:${place.turn}`, thread: root }))
    assert.doesNotMatch((await place.votes()).join(), /up|down/)
    assert.match(place.slack.space.ephemerals.at(-1)?.text ?? '', /withdrawn/)
  })

  it('is not acknowledged when the vote could not be kept', async () => {
    await using place = await answered()
    assert.equal(
      await place.give(press({ action: 'hone:feedback', value: '', type: 'feedback_buttons' })),
      'acknowledged',
    )
    const bot = { ...fakeBot(), feedback: async () => Promise.reject(new Error('the disk is full')) }
    await using broken = await workplace(bot)
    assert.equal(
      await broken.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value: 'hone:up:b_1' })),
      'not acknowledged',
    )
  })

  it('works on buttons from before a restart', async () => {
    await using place = await answered()
    await using after = await workplace(fakeBot({ store: place.bot.store }))
    await after.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${place.turn}` }))
    assert.deepEqual(await place.votes(), ['slack:T1:UANNA up'])
  })

  it('tries again in the same thread', async () => {
    const script = (text: string, nth: number) => ({ chunks: [`${text} ${nth}`] })
    await using place = await answered({ script })
    await place.give(press({ action: 'hone:retry', value: `hone:retry:${place.turn}`, thread: root }))
    await place.bot.idle()
    assert.deepEqual(
      place.slack.space.messages.map(({ text, thread }) => [text, thread]),
      [
        ['Hello? 1', root],
        ['Hello? 2', root],
      ],
    )
  })

  it('shows a blind duel and reveals it once it is decided', async () => {
    const script = () => ({ chunks: ['Left words'], version: 'v1', against: { text: 'Right words', version: 'v2' } })
    await using place = await answered({ script })
    assert.match(place.message.text, /\*\*A\*\*[\s\S]*Left words[\s\S]*\*\*B\*\*[\s\S]*Right words/)
    assert.doesNotMatch(visible(place.message), /\bv[12]\b/)
    const value = /hone:duel-left:[^"]+/.exec(visible(place.message))?.[0] ?? ''
    await place.give(press({ action: 'hone:duel-left', value, thread: root }))
    assert.deepEqual(
      place.bot.said.map(({ kind }) => kind),
      ['duel'],
    )
    assert.match(place.slack.space.ephemerals[0]?.text ?? '', /You chose A/)
  })

  it('takes a better answer for any older reply through the message menu', async () => {
    await using place = await answered()
    await place.give(shortcut('hone_correct', { ts: place.message.ts, thread_ts: root, blocks: place.message.blocks }))
    const [modal] = place.slack.space.modals
    assert.match(JSON.stringify(modal), /"initial_value":"You said: Hello\?"/)
    await place.give(shortcut('hone_correct', { ts: '1.1', blocks: [] }))
    assert.match(place.slack.space.ephemerals.at(-1)?.text ?? '', /no reply of this bot/)
  })

  it('counts reactions only where that is switched on', async () => {
    await using off = await answered()
    await off.give(reaction('+1', { channel: 'C1', ts: off.message.ts }))
    assert.deepEqual(await off.votes(), [])
    await using on = await answered({ reactions: true })
    await on.give(reaction('thumbsdown::skin-tone-3', { channel: 'C1', ts: on.message.ts }))
    await on.give(reaction('tada', { channel: 'C1', ts: on.message.ts }))
    assert.deepEqual(await on.votes(), ['slack:T1:UANNA down'])
  })

  it('takes votes on what a host answered itself', async () => {
    await using store = await sqlite(':memory:')
    const bot = fakeBot({ store })
    await using place = await workplace(bot, { mode: 'observe' })
    await place.give(mention({ text: 'Hello?', ts: root }))
    assert.deepEqual(bot.received, [])
    const host = {
      team: 'T1',
      channel: 'C1',
      thread: root,
      ts: root,
      user: 'UANNA',
      question: 'Hello?',
      answer: 'Hi, says the host.',
    }
    const turn = await logTurn(bot, host)
    assert.equal(await logTurn(bot, host), turn)
    assert.match(JSON.stringify(feedbackBlocks(turn)), new RegExp(`hone:up:${turn}`))
    await place.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${turn}` }))
    assert.equal((await bot.store.feedback.ofTurn(turn)).votes.length, 1)
  })
})

describe('commands and App Home in Slack', () => {
  it('answers commands to the one who asked, whatever the name', async () => {
    await using place = await workplace(fakeBot(), { command: '/hone' })
    await place.give(slash('status', place.slack.url.replace('/api/', '/respond/1')))
    await place.slack.until(() => place.slack.responses.length === 1)
    assert.equal(place.slack.responses[0]?.['response_type'], 'ephemeral')
    assert.match(JSON.stringify(place.slack.responses[0]), /Command: \*\*status\*\*/)
  })

  it('tells why about the last reply to the one who asks, in that channel', async () => {
    await using store = await sqlite(':memory:')
    await using place = await answered({ store })
    await place.give(directMessage({ text: 'Elsewhere', ts: '1763900002.000100' }))
    await place.give(mention({ text: 'Mine?', ts: '1763900003.000100', user: 'UBEN' }))
    await place.bot.idle()
    const respond = place.slack.url.replace('/api/', '/respond/1')
    await place.give(slash('why', respond))
    await place.give(slash('why', respond, 'UNEW'))
    await place.slack.until(() => place.slack.responses.length === 2)
    assert.match(JSON.stringify(place.slack.responses[0]), new RegExp(`why ${place.turn}\\*`))
    assert.match(JSON.stringify(place.slack.responses[1]), /Command: \*\*why\*\*/)
  })

  it('knows admins by user group, and asks them back before anything is changed', async () => {
    await using place = await workplace(fakeBot(), { admins: ['SADMINS'] })
    const respond = place.slack.url.replace('/api/', '/respond/1')
    await place.give(slash('promote v2', respond, 'UADMIN'))
    await place.give(slash('promote v2', respond, 'UANNA'))
    await place.slack.until(() => place.slack.responses.length === 2)
    assert.match(JSON.stringify(place.slack.responses[0]), /"action_id":"hone:run".*promote v2/)
    assert.match(JSON.stringify(place.slack.responses[1]), /Command/)
  })

  it('shows everyone their votes, and admins the learning', async () => {
    await using store = await sqlite(':memory:')
    await using place = await answered({ admins: ['UADMIN'], store })
    await place.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value: `hone:up:${place.turn}` }))
    await place.give(homeOpened('home'))
    await place.give(homeOpened('home', 'UADMIN'))
    const home = JSON.stringify(place.slack.space.homes.get('UANNA'))
    assert.match(home, /👍 1 · 👎 0/)
    assert.match(home, /forget-me confirm/)
    assert.doesNotMatch(home, /Learning/)
    assert.match(JSON.stringify(place.slack.space.homes.get('UADMIN')), /Learning[\s\S]*Roll back/)
  })
})
