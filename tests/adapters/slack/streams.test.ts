import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplyEvent } from '../../../src/ports/channel.ts'
import { visible } from '../../fakes/slack/workspace.ts'
import { attached, event, handClock, reply, source } from './delivering.ts'
import { twenty } from './twenty.ts'

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
    const card = () => [...(message?.tasks.values() ?? [])][0]
    assert.equal(card()?.['status'], 'in_progress')
    held.resolve()
    await delivering
    assert.equal(message?.text, 'Twenty-five days a year.')
    assert.deepEqual(card()?.['sources'], [{ type: 'url', url: source.url, text: 'Leave' }])
    assert.equal(card()?.['status'], 'complete')
    assert.match(JSON.stringify(message?.blocks), /"type":"feedback_buttons".*hone:up:b_1.*hone:down:b_1/)
    assert.equal(message?.streamingSince, undefined)
  })

  it('twenty at once in one workspace are never limited, and all arrive whole', async () => {
    const { limited, broken, streamed } = await twenty()
    assert.deepEqual({ limited, broken }, { limited: [], broken: [] })
    assert.ok(streamed >= 9, `${streamed} of 20 streamed`)
  })

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
    const shown = () => server.space.messages.map(({ text }) => text).join('')
    let told = 0
    const age = async () => {
      await server.until(() => told === 0 || shown().includes(`word${told - 1}`))
      told += 1
      await clock.wait(50_000)
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

  it('show a table that is cut as a table in each message', async () => {
    const { server, channel } = await attached()
    await using _ = server
    const head = '| number | what it is |\n| --- | --- |\n'
    const rows = Array.from({ length: 400 }, (_, i) => `| ${i} | something that is told at some length |\n`)
    const refs = await channel.deliver(event(1), reply('b_1', { words: ['So:\n\n', head, ...rows, '\nThat is all.'] }))
    assert.ok(refs.length >= 2)
    const shown = server.space.messages.map(({ text }) => text)
    for (const text of shown) assert.equal(text.split(head).length, 2)
    assert.deepEqual(
      shown.join('').match(/^\| \d+/gm),
      rows.map((_, i) => `| ${i}`),
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

  it('leave no task in progress where the stream’s end is refused and an edit takes over', async () => {
    let ends = 0
    const refuse = (method: string) => (method === 'chat.stopStream' && ++ends === 1 ? 'internal_error' : undefined)
    const { server, channel } = await attached({ refuse })
    await using _ = server
    await channel.deliver(event(1), reply('b_1', { words: ['Yes.'] }))
    const [message] = server.space.messages
    assert.match(visible(message as never), /Yes\..*hone:up:b_1/)
    assert.deepEqual(
      [...(message?.tasks.values() ?? [])].map(({ status }) => status),
      ['complete'],
    )
  })

  it('are cut nowhere where every < counts four times', async () => {
    const refuse = (method: string) => (/Stream|update/.test(method) ? 'unknown_method' : undefined)
    const { server, channel } = await attached({ refuse })
    await using _ = server
    const words = Array.from({ length: 400 }, (_, i) => `a<b<${i} `)
    await channel.deliver(event(1), reply('b_1', { words }))
    const shown = server.space.messages.flatMap((message) => visible(message).match(/a&lt;b&lt;\d+/g) ?? [])
    assert.equal(shown.length, 400)
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
