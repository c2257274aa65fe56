import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { suggestions } from '../../../adapters/teams/render.ts'
import type { Logger } from '../../../src/log.ts'
import type { Source } from '../../../src/ports/channel.ts'
import { type Bench, jumpingClock, openBench } from '../../fakes/teams/bench.ts'
import type { Call } from '../../fakes/teams/connector.ts'
import { agents, botbuilder } from '../../fakes/teams/hosts.ts'
import { streamInfo } from '../../fakes/teams/rules.ts'

const source: Source = {
  number: 1,
  title: `Time off - Vacation${' and more'.repeat(20)}`,
  document: 'time-off.md',
  text: `Everyone gets 25 days.\n${'More of it. '.repeat(40)}`,
  url: 'https://handbook.test/time-off',
}
const faults = (bench: Bench) => bench.connector.calls.filter(({ fault }) => fault)
const types = (calls: readonly Call[]) => calls.map(({ activity }) => streamInfo(activity)?.streamType ?? activity.type)
const gate = () => Promise.withResolvers<void>()

for (const [name, open] of Object.entries({ botbuilder, agents })) {
  describe(`talking in Teams (${name})`, () => {
    it('answers every message, also when none has an id', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      for (const text of ['One', 'Two']) {
        await anna.post({ type: 'message', text, id: undefined })
        await bench.bot.idle()
      }
      assert.deepEqual(
        anna.shown().map(({ activity }) => activity.text),
        ['You said: One', 'You said: Two'],
      )
    })

    it('streams into a personal chat: what is done, the growing text, the whole reply', async () => {
      const [first, second] = [gate(), gate()]
      const script = () => ({
        chunks: [first.promise, 'You get **25 days** ', second.promise, 'a year [1].'],
        sources: [source],
      })
      await using bench = await openBench(open, { script })
      const anna = bench.chat()
      assert.equal((await anna.say('How many days?')).status, 200)
      await bench.connector.until(() => bench.connector.calls.length === 1)
      first.resolve()
      await bench.connector.until(() =>
        bench.connector.calls.some(({ activity }) => activity.text?.startsWith('You get')),
      )
      second.resolve()
      const { activity } = await anna.answered()
      assert.deepEqual(faults(bench), [])
      assert.deepEqual(types(bench.connector.calls), ['informative', 'streaming', 'final'])
      assert.match(String(bench.connector.calls[0]?.activity.text), /^(Searching the handbook|Reading 1 source) …$/)
      assert.equal(activity.text, 'You get **25 days** a year [1].')
      assert.equal(anna.shown().length, 1)
    })

    it('folds the reasons of an answer behind a button of a card under it', async () => {
      const explanation = { text: 'Not https://evil.example but the page says so.', show: 'folded' } as const
      await using bench = await openBench(open, { script: () => ({ chunks: ['25 days.'], explanation }) })
      const anna = bench.chat()
      await anna.say('How many days?')
      const { activity } = await anna.answered()
      assert.deepEqual([faults(bench), activity.text], [[], '25 days.'])
      const [{ content } = { content: {} }] = activity['attachments'] as { content: Record<string, unknown> }[]
      const { body, actions } = content as Record<'body' | 'actions', object[]>
      const text = 'Not `https://evil.example` but the page says so.'
      assert.deepEqual(body, [{ type: 'TextBlock', text, wrap: true, id: 'why', isVisible: false }])
      assert.deepEqual(actions, [{ type: 'Action.ToggleVisibility', title: 'Why?', targetElements: ['why'] }])
    })

    it('labels the reply as AI generated, with its sources to hover over, thumbs and suggestions', async () => {
      const script = () => ({ chunks: ['25 days [1].'], sources: [source] })
      const sensitivity = { name: 'Internal', description: 'For employees' }
      await using bench = await openBench(open, { script, sensitivity })
      const anna = bench.chat()
      await anna.say('How many days?')
      const { activity } = await anna.answered()
      const entities = activity['entities'] as Record<string, unknown>[]
      const ai = entities.find(({ type }) => type === 'https://schema.org/Message') ?? {}
      assert.deepEqual(ai['additionalType'], ['AIGeneratedContent'])
      const [claim] = ai['citation'] as { position: number; appearance: Record<string, string> }[]
      assert.equal(claim?.position, 1)
      assert.match(claim?.appearance['name'] ?? '', /^Time off - Vacation/)
      assert.match(claim?.appearance['abstract'] ?? '', /^Everyone gets 25 days\. More/)
      assert.equal(claim?.appearance['url'], 'https://handbook.test/time-off')
      assert.equal((ai['usageInfo'] as { name: string }).name, 'Internal')
      assert.deepEqual((activity['channelData'] as Record<string, unknown>)['feedbackLoop'], { type: 'default' })
      const { actions } = activity['suggestedActions'] as { actions: { title: string }[] }
      assert.deepEqual(
        actions.map(({ title }) => title),
        ['Try again', 'Shorter', 'Sources'],
      )
    })

    it('has the message on disk and the request answered while the model is still thinking', async () => {
      const slow = gate()
      await using bench = await openBench(open, { script: () => ({ chunks: [slow.promise, 'Done.'] }) })
      const anna = bench.chat()
      const response = await anna.say('Take your time', 'slow-1')
      assert.equal(response.status, 200)
      const [event] = bench.bot.received
      const claimedBefore = event && !(await bench.bot.store.inbox.claim(event))
      slow.resolve()
      assert.equal(event?.id, `${anna.thread}:slow-1`)
      assert.equal(claimedBefore, true)
      assert.equal((await anna.answered()).activity.text, 'Done.')
    })

    it('answers a redelivered message once', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      await anna.say('Hello', 'same')
      await anna.answered()
      assert.equal((await anna.say('Hello', 'same')).status, 200)
      await bench.bot.idle()
      assert.equal(anna.shown().length, 1)
    })

    it('stops when the person presses Stop, and keeps what was said', async () => {
      const [more, never] = [gate(), gate()]
      const script = () => ({ chunks: ['One two three ', more.promise, 'four five ', never.promise] })
      await using bench = await openBench(open, { script })
      const anna = bench.chat()
      await anna.say('Count')
      await bench.connector.until(() => bench.connector.calls.some(({ activity }) => activity.text === 'One two three'))
      bench.connector.stop(anna.conversation)
      more.resolve()
      await bench.bot.idle()
      assert.equal(bench.bot.stopped.length, 1)
      assert.equal(faults(bench).length, 1, 'a stopped stream is not tried again')
      const turn = await bench.bot.store.messages.find({ thread: anna.thread, id: anna.shown()[0]?.id ?? '' })
      assert.equal(turn?.text, 'One two three four five ')
    })

    it('ends the stream before two minutes are over and says the rest in a message of its own', async () => {
      const gates = Array.from({ length: 60 }, gate)
      const chunks = gates.flatMap(({ promise }, n) => [`word${n} `, promise])
      await using bench = await openBench(open, { script: () => ({ chunks: [...chunks, 'end.'] }) })
      const anna = bench.chat()
      await anna.say('Tell me a long story')
      for (const [n, { resolve }] of gates.entries()) {
        const wanted = () => bench.connector.calls.some(({ activity }) => `${activity.text} `.includes(`word${n} `))
        const ended = () => types(bench.connector.calls).includes('final')
        await bench.connector.until(() => wanted() || ended())
        resolve()
      }
      await bench.bot.idle()
      assert.deepEqual(faults(bench), [])
      const [streamed, rest] = anna.shown()
      const said = `${String(streamed?.activity.text).replace(/ …$/, ' ')}${rest?.activity.text}`
      assert.equal(said, `${gates.map((_, n) => `word${n} `).join('')}end.`)
      for (const message of anna.shown()) {
        assert.match(JSON.stringify(message.activity['entities']), /AIGeneratedContent/)
        const turn = await bench.bot.store.messages.find({ thread: anna.thread, id: message.id })
        assert.equal(turn?.role, 'assistant', 'a vote on either message finds the reply')
      }
    })

    it('ends a stream in time when the model has said nothing for too long', async () => {
      const slow = gate()
      const clock = jumpingClock()
      await using bench = await openBench(open, { script: () => ({ chunks: [slow.promise, 'At last.'] }), clock })
      const anna = bench.chat()
      await anna.say('Think hard')
      await bench.connector.until(() => types(bench.connector.calls).includes('informative'))
      await clock.ring()
      await bench.connector.until(() => types(bench.connector.calls).includes('final'))
      slow.resolve()
      await bench.bot.idle()
      const said = anna.shown().map(({ activity }) => activity.text)
      assert.deepEqual(said, ['This takes a little longer; the answer follows as a message of its own.', 'At last.'])
      assert.deepEqual(faults(bench), [])
    })

    it('labels every message of a long reply, and cites in each what it names; the last has the thumbs', async () => {
      const [first, second] = [1, 2].map((n) => `${'Many words. '.repeat(900)}[${n}]`)
      const sources = [source, { ...source, number: 2 }]
      await using bench = await openBench(open, { script: () => ({ chunks: [`${first}\n\n${second}`], sources }) })
      const anna = bench.chat({ conversation: '19:g@thread.v2', kind: 'groupChat' })
      await anna.say('Tell me everything')
      await bench.bot.idle()
      assert.deepEqual(faults(bench), [])
      const shown = anna.shown().map(({ activity }) => activity)
      const cited = shown.map(({ entities }) => JSON.stringify(entities).match(/"position":\d/g))
      assert.deepEqual(cited, [['"position":1'], ['"position":2']])
      assert.deepEqual(
        shown.map(({ channelData }) => channelData ?? {}),
        [{}, { feedbackLoop: { type: 'default' } }],
      )
    })

    it('says the reply as a plain message where streaming is not allowed', async () => {
      await using bench = await openBench(open, { script: () => ({ chunks: ['Plain words.'] }) })
      const fault = { status: 403, code: 'ContentStreamNotAllowed', message: 'Content stream is not allowed' }
      bench.connector.refuseNext((activity) => streamInfo(activity) !== undefined, fault)
      bench.connector.refuseNext((activity) => streamInfo(activity) !== undefined, fault)
      const anna = bench.chat()
      await anna.say('Hello')
      assert.equal((await anna.answered()).activity.text, 'Plain words.')
      assert.equal(bench.bot.stopped.length, 0)
    })

    it('ends the stream of a duel with its card', async () => {
      const slow = gate()
      const script = () => ({ chunks: [slow.promise, 'A.'], against: { text: 'B.', version: 'v2' } })
      await using bench = await openBench(open, { script })
      const anna = bench.chat()
      await anna.say('Which one?')
      await bench.connector.until(() => types(bench.connector.calls).includes('informative'))
      slow.resolve()
      const { activity } = await anna.answered()
      assert.match(JSON.stringify(activity['attachments']), /hone\.duel/)
      assert.equal(anna.shown().length, 1)
      assert.deepEqual(faults(bench), [])
    })

    it('tries again when Teams is busy', async () => {
      await using bench = await openBench(open, { script: () => ({ chunks: ['At last.'] }) })
      const fault = { status: 502, code: 'BadGateway', message: 'Try later', retryAfter: 0 }
      for (let n = 0; n < 2; n++) bench.connector.refuseNext(({ type }) => type === 'message', fault)
      const anna = bench.chat()
      await anna.say('Hello')
      assert.equal((await anna.answered()).activity.text, 'At last.')
    })

    it('shows a reply once when Teams has taken its end and the answer to that was lost', async () => {
      await using bench = await openBench(open, { script: () => ({ chunks: ['At last.'] }) })
      const lost = { status: 504, code: 'GatewayTimeout', message: 'Nobody knows', retryAfter: 0, taken: true }
      bench.connector.refuseNext(({ type }) => type === 'message', lost)
      const anna = bench.chat()
      await anna.say('Hello')
      await bench.bot.idle()
      assert.deepEqual(
        anna.shown().map(({ activity }) => activity.text),
        ['At last.'],
      )
      const told = anna.shown()[0]?.activity['channelData'] as { feedbackLoop: object } | undefined
      assert.deepEqual(told?.feedbackLoop, { type: 'default' })
    })

    it('logs neither what was written nor a token when Teams refuses a reply', async () => {
      const logged: unknown[] = []
      const take = (event: string, fields?: object) => void logged.push(event, fields)
      const log: Logger = { debug: () => undefined, info: take, warn: take, error: take, child: () => log }
      await using bench = await openBench(open, { script: () => ({ chunks: ['The secret word.'] }), log })
      for (let n = 0; n < 3; n++)
        bench.connector.refuseNext(() => true, { status: 400, code: 'BadRequest', message: 'Not like this' })
      await bench.chat().say('Tell me')
      await bench.bot.idle()
      const text = inspect(logged, { depth: 10 })
      assert.match(text, /teams\.deliver\.failed.*status: 400.*Not like this/s)
      assert.doesNotMatch(text, /secret word|Bearer|the-bots-own/)
    })

    it('shows typing and one message in a channel, only when it is mentioned', async () => {
      const slow = gate()
      await using bench = await openBench(open, { script: (text) => ({ chunks: [slow.promise, `Heard: ${text}`] }) })
      const channel = bench.chat({ conversation: '19:team@thread.tacv2;messageid=17', kind: 'channel' })
      await channel.post({ type: 'message', text: 'just among ourselves' })
      await channel.say('How many days?')
      await bench.connector.until(() => bench.connector.calls.length > 0)
      slow.resolve()
      const { activity } = await channel.answered()
      assert.equal(activity.text, 'Heard: How many days?')
      assert.equal(activity['suggestedActions'], undefined)
      assert.ok(types(bench.connector.calls).every((type) => type === 'typing' || type === 'message'))
      assert.deepEqual(faults(bench), [])
      assert.equal(bench.bot.received.length, 1)
    })

    it('tells the person when their message is too long or could not be kept', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      bench.bot.receive = () => Promise.reject(new Error('disk on fire'))
      assert.equal((await anna.say('Hello')).status, 200)
      assert.equal(anna.shown()[0]?.activity.text, 'Your message could not be kept.')
    })

    it('tries the newest reply again, tells its sources, and takes "shorter" as a message', async () => {
      const script = (text: string, nth: number) => ({ chunks: [`${text} #${nth} [1]`], sources: [source] })
      await using bench = await openBench(open, { script })
      const anna = bench.chat()
      await anna.say('Try again')
      assert.match(String(anna.shown()[0]?.activity.text), /no reply to try again/)
      await anna.say('Hello')
      await bench.bot.idle()
      await anna.say('Try again')
      await bench.bot.idle()
      assert.equal(anna.shown().at(-1)?.activity.text, 'Hello #2 [1]')
      await anna.say('Sources')
      assert.match(String(anna.shown().at(-1)?.activity.text), /^1\. \[Time off - Vacation.*handbook\.test/)
      const [[, again], [, shorter]] = suggestions
      await anna.say(again)
      await anna.say(shorter)
      await bench.bot.idle()
      assert.deepEqual(
        bench.bot.received.map(({ kind }) => kind),
        ['message', 'retry', 'retry', 'message'],
      )
      assert.equal(anna.shown().at(-1)?.activity.text, 'The same, but shorter. #1 [1]')
    })

    it('leaves other activities to the host', async () => {
      await using bench = await openBench(open)
      const anna = bench.chat()
      assert.equal((await anna.post({ type: 'conversationUpdate', membersAdded: [] })).status, 200)
      assert.equal((await anna.invoke('host/own', {})).status, 501)
      assert.equal(
        (await anna.post({ type: 'message', text: 'edited', from: { id: '28:other', role: 'bot' } })).status,
        200,
      )
      assert.deepEqual(
        bench.host.seen.map(({ type }) => type),
        ['conversationUpdate', 'invoke', 'message'],
      )
      bench.hone.detach()
      await anna.say('Nobody but the host hears this')
      assert.equal(bench.host.seen.length, 4)
      assert.equal(bench.bot.received.length, 0)
    })
  })
}
