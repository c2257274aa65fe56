import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { slack } from '../../../adapters/slack/index.ts'
import type { Channel, Inbound, ReplyEvent } from '../../../src/ports/channel.ts'
import { fakeBot } from '../../fakes/bot.ts'
import { type FakeSlackOptions, fakeSlack } from '../../fakes/slack/index.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { boltApp, hand } from './workplace.ts'

const source = {
  number: 1,
  title: 'Leave',
  document: 'leave.md',
  text: 'Everyone gets 25 days.',
  url: 'https://docs.example/leave',
}

const event = (n: number): Inbound => {
  const ts = `${1_763_900_000 + n}.000001`
  return {
    kind: 'message',
    id: `slack:T1:C${n}:${ts}`,
    channel: 'slack',
    tenant: 'slack:T1',
    thread: `slack:T1:C${n}:${ts}`,
    person: { id: 'slack:T1:UANNA', name: 'Anna' },
    scopes: [],
    at: new Date(),
    text: 'How many days?',
  }
}

interface Pace {
  readonly words: readonly string[]
  /** Waits between two words. */
  readonly wait?: () => Promise<unknown>
}

async function* reply(turn: string, { words, wait = async () => undefined }: Pace): AsyncGenerator<ReplyEvent> {
  yield { kind: 'status', text: 'Searching the documents' }
  yield { kind: 'source', source }
  for (const word of words) {
    await wait()
    yield { kind: 'delta', text: word }
  }
  yield { kind: 'done', reply: { turn, text: words.join('').trim(), sources: [source], version: 'v1' } }
}

async function attached(
  options: FakeSlackOptions = {},
  clock: { now?: () => number; wait?: (ms: number) => Promise<unknown> } = {},
) {
  const server = await fakeSlack({ ...options, ...(clock.now ? { now: clock.now } : {}) })
  const channels: Channel[] = []
  const bot = fakeBot()
  slack(
    boltApp(server, hand()),
    {
      ...bot,
      attach: (one) => {
        channels.push(one)
        return () => undefined
      },
    },
    clock,
  )
  return { server, channel: channels[0] as Channel }
}

/** Time passes only when someone waits. */
function handClock() {
  let time = 0
  return {
    now: () => time,
    wait: async (ms: number) => {
      time += ms
    },
  }
}

describe('replies in Slack', () => {
  it('stream as they are made, with a task card, its sources as links, and thumbs at the end', async () => {
    const { server, channel } = await attached()
    await using _ = server
    const held = Promise.withResolvers<void>()
    const delivering = channel.deliver(
      event(1),
      reply('b_1', { words: ['Twenty-five ', 'days ', 'a year.'], wait: () => held.promise }),
    )
    await server.until(() => server.space.messages.length > 0)
    const [message] = server.space.messages
    assert.equal(message?.tasks.get('task1')?.['status'], 'in_progress')
    held.resolve()
    await delivering
    assert.equal(message?.text, 'Twenty-five days a year.')
    assert.deepEqual(message?.tasks.get('task1')?.['sources'], [{ type: 'url', url: source.url, text: 'Leave' }])
    assert.equal(message?.tasks.get('task1')?.['status'], 'complete')
    assert.match(JSON.stringify(message?.blocks), /"type":"feedback_buttons".*hone:up:b_1.*hone:down:b_1/)
    assert.equal(message?.streamingSince, undefined)
  })

  it('twenty at once in one workspace are never limited, and all arrive whole', async () => {
    const speed = 20
    const start = performance.now()
    const now = () => (performance.now() - start) * speed
    const wait = (ms: number) => sleep(ms / speed)
    const { server, channel } = await attached({}, { now, wait })
    await using _ = server
    const words = Array.from({ length: 120 }, (_, i) => `word${i} `)
    const ids = Array.from({ length: 20 }, (_, i) => i + 1)
    await Promise.all(ids.map((n) => channel.deliver(event(n), reply(`b_${n}`, { words, wait: () => wait(250) }))))
    assert.deepEqual(server.limited, [])
    const shown = server.space.messages.map(visible)
    assert.equal(shown.length, 20)
    for (const n of ids) {
      const [own = ''] = shown.filter((text) => text.includes(`hone:up:b_${n}"`))
      assert.ok(own.includes('word0 ') && own.includes('word119'), `reply ${n} is not whole`)
    }
    const streamed = server.space.messages.filter((message) => message.streamed).length
    assert.ok(streamed >= 9, `${streamed} of 20 streamed`)
  }).timeout(30_000)

  it('go on in a new message when Slack ends the stream', async () => {
    const clock = handClock()
    const { server, channel } = await attached({}, clock)
    await using _ = server
    const first = Promise.withResolvers<void>()
    const second = Promise.withResolvers<void>()
    let n = 0
    const gates = [Promise.resolve(), first.promise, second.promise]
    const delivering = channel.deliver(
      event(1),
      reply('b_1', { words: ['One two ', 'three four ', 'five six.'], wait: () => gates[n++] as Promise<void> }),
    )
    await server.until(() => server.space.messages[0]?.text.includes('One two') === true)
    // Slack's clock went on while the bot's was not looked at: no rotation in time.
    const [message] = server.space.messages
    if (message) message.streamingSince = clock.now() - 400_000
    first.resolve()
    await server.until(() => server.space.messages.length === 2)
    second.resolve()
    const refs = await delivering
    assert.equal(refs.length, 2)
    assert.equal(server.space.messages.map(({ text }) => text.trim()).join(' '), 'One two three four five six.')
    assert.match(JSON.stringify(server.space.messages[1]?.blocks), /feedback_buttons/)
  })

  it('begin a new stream before the old one is too old', async () => {
    const clock = handClock()
    const { server, channel } = await attached({}, clock)
    await using _ = server
    const words = Array.from({ length: 12 }, (_, i) => `word${i} `)
    const age = async () => {
      const calls = server.calls.length
      await clock.wait(50_000)
      await Promise.race([server.until(() => server.calls.length > calls), sleep(500)])
    }
    await channel.deliver(event(1), reply('b_1', { words, wait: age }))
    assert.ok(server.space.messages.length >= 2)
    assert.equal(
      server.space.messages
        .map(({ text }) => text)
        .join('')
        .replace(/\s+/g, ' ')
        .trim(),
      words.join('').trim(),
    )
    const refused = server.calls.filter(({ method, answer }) => method.includes('Stream') && answer['ok'] === false)
    assert.deepEqual(refused, [])
  })

  it('that are too long for one message are cut between paragraphs, code blocks closed and opened again', async () => {
    const { server, channel } = await attached()
    await using _ = server
    const code = Array.from({ length: 700 }, (_, i) => `line ${i} of a program that goes on and on\n`).join('')
    const text = `Here it is:\n\n\`\`\`ts\n${code}\`\`\`\n\nThat is all.`
    const refs = await channel.deliver(event(1), reply('b_1', { words: text.split(/(?<=\n)/) }))
    assert.ok(refs.length >= 3)
    for (const { text: part } of server.space.messages) {
      assert.ok(part.length <= 12_000)
      assert.equal((part.match(/```/g)?.length ?? 0) % 2, 0, 'a code block is left open')
    }
    const lines = server.space.messages.flatMap(({ text: part }) => part.match(/^line \d+/gm) ?? [])
    assert.deepEqual(
      lines,
      Array.from({ length: 700 }, (_, i) => `line ${i}`),
    )
  })

  it('keep what stands in an earlier message when no second stream may be begun', async () => {
    let starts = 0
    const refuse = (method: string) => (method === 'chat.startStream' && ++starts > 1 ? 'internal_error' : undefined)
    const { server, channel } = await attached({ refuse })
    await using _ = server
    const lines = Array.from({ length: 400 }, (_, i) => `line ${i} of an answer that goes on and on and on\n`)
    await channel.deliver(event(1), reply('b_1', { words: lines }))
    const shown = server.space.messages.flatMap((message) => visible(message).match(/line \d+ of/g) ?? [])
    assert.deepEqual(
      shown,
      lines.map((_, i) => `line ${i} of`),
    )
  })

  it('are left as they are when the process ends, for the next one to go on in', async () => {
    const { server, channel } = await attached()
    await using _ = server
    async function* cut(): AsyncGenerator<ReplyEvent> {
      yield { kind: 'status', text: 'Searching the documents' }
      await server.until(() => server.space.messages.length > 0)
      yield { kind: 'delta', text: 'Half an answer ' }
    }
    await channel.deliver(event(1), cut())
    assert.equal(server.space.messages.length, 1)
    assert.doesNotMatch(server.space.messages.map(visible).join(), /hone:done|broke off/)
  })

  it('keep their thumbs where Slack refuses its own feedback buttons', async () => {
    const refuse = (method: string, args: Record<string, unknown>) =>
      method === 'chat.stopStream' && JSON.stringify(args).includes('context_actions') ? 'invalid_blocks' : undefined
    const { server, channel } = await attached({ refuse })
    await using _ = server
    await channel.deliver(event(1), reply('b_1', { words: ['Yes.'] }))
    assert.match(server.space.messages.map(visible).join(), /Yes\..*hone:up:b_1.*hone:down:b_1/)
  })

  it('survive a stream that breaks, without losing a word', async () => {
    let refused = 2
    const refuse = (method: string) => (method === 'chat.appendStream' && refused-- > 0 ? 'internal_error' : undefined)
    const { server, channel } = await attached({ refuse })
    await using _ = server
    await channel.deliver(event(1), reply('b_1', { words: ['One ', 'two ', 'three.'], wait: () => sleep(5) }))
    assert.match(server.space.messages.map(visible).join(), /One two three\./)
    assert.equal(server.space.messages.filter((message) => visible(message).includes('hone:up:b_1')).length, 1)
  })

  it('never ring anybody and never carry a link that leaks', async () => {
    const { server, channel } = await attached()
    await using _ = server
    const text =
      'Hey <!channel> @here <@U1>, see https://evil.example/?q=secret or [this](https://evil.example/x) or https://docs.example/leave ok.'
    await channel.deliver(event(1), reply('b_1', { words: text.split(/(?<= )/) }))
    const shown = server.space.messages.map(visible).join()
    assert.doesNotMatch(shown, /<!channel>|<@U1>|@here\b(?<!\u2060here)/)
    assert.match(shown, /`https:\/\/evil\.example\/\?q=secret`/)
    assert.doesNotMatch(shown, /\]\(https:\/\/evil/)
    assert.match(shown, /(?<!`)https:\/\/docs\.example\/leave/)
    for (const { method, args } of server.calls)
      if (method === 'chat.postMessage') assert.equal(args['unfurl_links'], 'false')
  })
})
