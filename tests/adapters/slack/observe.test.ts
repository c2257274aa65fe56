import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { feedbackBlocks, logTurn, slack } from '../../../adapters/slack/index.ts'
import { sqlite } from '../../../src/store/index.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { fakeSlack } from '../../fakes/slack/index.ts'
import { mention, press, slash, submission } from '../../fakes/slack/payloads.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { boltApp, hand } from './workplace.ts'

type Json = Record<string, unknown>
const guide = readFileSync(new URL('../../../docs/slack.md', import.meta.url), 'utf8')

/** The lines below a heading of the guide, without what they import. */
function snippet(heading: string): string {
  const [, code = ''] = guide.slice(guide.indexOf(heading)).split(/```(?:js)?\n/)
  return code.replace(/^import .*\n/gm, '')
}

/** A host's own Bolt app that does what the guide says. */
async function host() {
  const server = await fakeSlack()
  const store = await sqlite(':memory:')
  const bot = fakeBot({ store })
  const receiver = hand()
  const app = boltApp(server, receiver)
  const parts = { app, bot, slack, feedbackBlocks, logTurn, yourModel: async (text: string) => `${text} Hi!` }
  new Function(...Object.keys(parts), snippet('### Only the thumbs'))(...Object.values(parts))
  const dispose = async () => {
    await store[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { server, store, bot, give: receiver.give, [Symbol.asyncDispose]: dispose }
}

describe('a host that keeps its own model, as the guide has it', () => {
  it('gets thumbs below its answers, better answers, and commands; Hone answers nothing', async () => {
    await using place = await host()
    const { server, store, bot } = place
    const ts = '1763900001.000100'
    await place.give(mention({ text: 'Hello?', ts }))
    assert.deepEqual(bot.received, [])
    const [answer, ...others] = server.space.messages
    assert.deepEqual([answer?.text, answer?.thread, others], ['<@UBOT> Hello? Hi!', ts, []])
    const value = /hone:down:\w+/.exec(visible(answer as never))?.[0] ?? ''
    await place.give(press({ action: 'hone:feedback', type: 'feedback_buttons', value, thread: ts }))
    const [modal] = server.space.modals
    assert.doesNotMatch(JSON.stringify(modal), /Try again/)
    await place.give(submission(modal as Json, { better: { better: { type: 'plain_text_input', value: 'Hello!' } } }))
    const { votes, corrections } = await store.feedback.ofTurn(value.split(':')[2] ?? '')
    assert.deepEqual([votes[0]?.verdict, corrections[0]?.text], ['down', 'Hello!'])
    await place.give(slash('status', server.url.replace('/api/', '/respond/1')))
    await server.until(() => server.responses.length === 1)
  })
})
