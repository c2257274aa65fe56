import assert from 'node:assert/strict'
import { botEvents } from '../../../adapters/slack/index.ts'
import { parseMessage, parseOpened, parseReaction, parseStop } from '../../../adapters/slack/parse/event.ts'
import { parseCommand, parseCorrection, parsePress, parseShortcut } from '../../../adapters/slack/parse/interaction.ts'
import { feedbackBlocks } from '../../../adapters/slack/render/reply.ts'
import {
  channelMessage,
  directMessage,
  fileShared,
  homeOpened,
  mention,
  press,
  pressInView,
  reaction,
  shortcut,
  slash,
  stopPressed,
  submission,
  threadStarted,
  viewClosed,
} from '../../fakes/slack/payloads.ts'
import { home, modal } from './samples.ts'

type Json = Record<string, unknown>
const ts = '1763900002.000100'
const root = '1763900001.000100'
const message = (body: Json) => {
  const heard = parseMessage(body, 'UBOT')
  return heard && [heard.event.id, heard.event.thread, heard.event.text, heard.addressed, heard.files.length]
}

/** What is made of every payload that Slack sends to Hone. */
const events: readonly {
  readonly type: string
  readonly body: Json
  readonly made: (body: Json) => unknown
  readonly is: unknown
}[] = [
  {
    type: 'app_mention',
    body: mention({ text: 'Hello?', ts }),
    made: message,
    is: [`slack:T1:C1:${ts}`, `slack:T1:C1:${ts}`, 'Hello?', true, 0],
  },
  {
    type: 'message',
    body: directMessage({ text: 'Hello?', ts }),
    made: message,
    is: [`slack:T1:D1:${ts}`, `slack:T1:D1:${ts}`, 'Hello?', true, 0],
  },
  {
    type: 'message',
    body: channelMessage({ text: 'And you?', ts, thread: root }),
    made: message,
    is: [`slack:T1:C1:${ts}`, `slack:T1:C1:${root}`, 'And you?', false, 0],
  },
  { type: 'message', body: channelMessage({ text: 'Just chatting', ts }), made: message, is: null },
  {
    type: 'message',
    body: fileShared({ url: 'https://files.slack.com/x', ts }),
    made: message,
    is: [`slack:T1:D1:${ts}`, `slack:T1:D1:${ts}`, '', true, 1],
  },
  {
    type: 'agent_session_stopped',
    body: stopPressed(root),
    made: parseStop,
    is: { team: 'T1', channel: 'D1', thread: root },
  },
  {
    type: 'app_home_opened',
    body: homeOpened('home'),
    made: parseOpened,
    is: { team: 'T1', user: 'UANNA', tab: 'home', place: { team: 'T1', channel: 'D1' } },
  },
  {
    type: 'assistant_thread_started',
    body: threadStarted(root),
    made: parseOpened,
    is: { team: 'T1', user: 'UANNA', tab: 'messages', place: { team: 'T1', channel: 'D1', thread: root } },
  },
  {
    type: 'reaction_added',
    body: reaction('+1', { channel: 'C1', ts }),
    made: (body) => parseReaction(body, 'UBOT'),
    is: { team: 'T1', user: 'UANNA', channel: 'C1', ts, verdict: 'up', removed: false },
  },
  {
    type: 'reaction_removed',
    body: reaction('-1', { channel: 'C1', ts }, { removed: true }),
    made: (body) => parseReaction(body, 'UBOT'),
    is: { team: 'T1', user: 'UANNA', channel: 'C1', ts, verdict: 'down', removed: true },
  },
]

describe('what Slack sends', () => {
  for (const { type, body, made, is } of events) {
    it(`as ${type} is taken for what it is`, () => {
      assert.equal((body['event'] as Json)['type'], type)
      assert.deepEqual(made(body), is)
    })
  }

  it('has a fixture for every event that the manifest asks for', () => {
    const known = new Set(events.map(({ type }) => type))
    const asked = botEvents({ reactions: true }).map((name) => name.replace(/\..*/, ''))
    assert.deepEqual(
      asked.filter((name) => !known.has(name)),
      [],
    )
  })

  const by = { team: 'T1', user: 'UANNA', person: { id: 'slack:T1:UANNA', name: 'uanna' } }

  it('as a press on the thumbs, on a button of a modal or of App Home is taken for what it is', () => {
    const thumbs = press({ action: 'hone:feedback', type: 'feedback_buttons', value: 'hone:down:b_1', thread: root })
    const { trigger, at, ...down } = parsePress(thumbs) ?? assert.fail()
    assert.ok(trigger && at)
    assert.deepEqual(down, {
      ...{ ...by, action: 'hone:feedback', value: 'hone:down:b_1', control: { action: 'down', id: 'b_1' } },
      ...{ place: { team: 'T1', channel: 'C1', thread: root }, message: '1.1' },
    })
    const again = { action: 'hone:retry-here', value: 'hone:retry:b_1' }
    const inModal = parsePress(pressInView(again, { ...modal({ times: 1 }) }))
    assert.deepEqual([inModal?.view, inModal?.place], ['V1', { team: 'T1', channel: 'C1', thread: root }])
    const inHome = parsePress(pressInView({ action: 'hone:run', value: 'rollback' }, { ...home({ times: 1 }) }))
    assert.deepEqual([inHome?.value, inHome?.place], ['rollback', undefined])
  })

  it('as a modal sent off or closed is taken for what it is', () => {
    const view = { ...modal({ times: 1 }) }
    const reason = { reason: { type: 'radio_buttons', selected_option: { text: 'x', value: 'wrong' } } }
    const better = { better: { type: 'plain_text_input', value: ' 25 days. ' } }
    const about = { turn: 'b_1', channel: 'C1', thread: root }
    const said = { ...by, about, place: { team: 'T1', channel: 'C1', thread: root } }
    assert.deepEqual(parseCorrection(submission(view, { reason, better })), {
      ...said,
      reason: 'wrong',
      better: '25 days.',
    })
    assert.deepEqual(parseCorrection(viewClosed(view)), said)
  })

  it('as the message menu or the slash command is taken for what it is', () => {
    const chosen = parseShortcut(shortcut('hone_correct', { ts, thread_ts: root, blocks: feedbackBlocks('b_1') }))
    assert.deepEqual(chosen, {
      ...{ ...by, trigger: '8.8.abc', turn: 'b_1' },
      ...{ place: { team: 'T1', channel: 'C1', thread: root } },
    })
    assert.deepEqual(parseCommand(slash(' status ', 'https://hooks.slack.com/x')), {
      ...{ ...by, text: 'status', thread: 'slack:T1:C1:', place: { team: 'T1', channel: 'C1' } },
    })
  })
})
