import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { once, terminal } from '../../../adapters/terminal/index.ts'
import type { Bot } from '../../../src/ports/bot.ts'
import type { Channel } from '../../../src/ports/channel.ts'
import { type ChannelHarness, channelContract } from '../../contracts/channel.ts'
import { type FakeBot, fakeBot, type Script } from '../../fakes/bot.ts'
import { fakeLearning } from '../../fakes/learning.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { screen } from './screen.ts'

const sources = [{ number: 1, title: 'Time off - Vacation', document: 'time-off.md', text: 'Everyone gets 25 days.' }]

describe('the terminal', () => {
  let script: (text: string, nth: number) => Script
  let bot: FakeBot
  beforeEach(() => {
    script = (text, nth) => ({ chunks: [`Answer ${nth} to ${text} [1]`], sources, version: 'v1' })
    bot = fakeBot({ script: (text, nth) => script(text, nth) })
  })

  /** Types the lines into a pipe and answers what was shown. */
  const type = async (...lines: readonly string[]) => {
    const { output, text } = screen()
    const input = new PassThrough()
    const chat = terminal(bot, { input, output, admin: true })
    input.end(lines.map((line) => `${line}\n`).join(''))
    await chat
    return text()
  }

  it('answers every line of a pipe, in order, with its sources', async () => {
    const shown = await type('one', 'two')
    assert.match(shown, /Answer 1 to one[\s\S]+\[1\] Time off - Vacation time-off\.md[\s\S]+Answer 1 to two/)
  })

  it('is there for as many people as chat at once, each sees their own replies', async () => {
    const hold = Promise.withResolvers<void>()
    script = (text) => ({ chunks: text === 'slow' ? [hold.promise, 'at last'] : [`at once: ${text}`] })
    const [slow, quick] = [screen(), screen()]
    const [older, newer] = [new PassThrough(), new PassThrough()]
    const waiting = terminal(bot, { input: older, output: slow.output, admin: true })
    const chatting = terminal(bot, { input: newer, output: quick.output, admin: true })
    newer.write('quick\n')
    await quick.seen('at once')
    older.end('slow\n')
    hold.resolve()
    await waiting
    newer.end()
    await chatting
    assert.match(quick.text(), /at once: quick/)
    assert.doesNotMatch(quick.text(), /at last/)
    assert.match(slow.text(), /at last/)
    assert.doesNotMatch(slow.text(), /at once/)
  })

  it('says that an admin wrote a line, where it is told so', async () => {
    await type('one')
    const input = new PassThrough()
    input.end('two\n')
    await terminal(bot, { input, output: screen().output, admin: false })
    assert.deepEqual(
      bot.received.map(({ admin }) => admin),
      [true, undefined],
    )
  })

  it('writes no colours where there is no terminal', async () => {
    assert.equal((await type('one', '/why')).includes('\u001b['), false)
  })

  it('votes on the newest reply, changes and withdraws', async () => {
    await type('one', '/up', '/down too long', '/undo')
    const votes = bot.said.map((event) => event.kind === 'vote' && `${event.verdict} ${event.reason ?? ''}`.trim())
    assert.deepEqual(votes, ['up', 'down too long', 'none'])
  })

  it('tries again and takes a better answer', async () => {
    assert.match(await type('one', '/again', '/better Just 25.'), /Answer 2 to one[\s\S]+kept as the better answer/)
    assert.equal(bot.received[1]?.kind, 'retry')
    assert.deepEqual(
      bot.said.map((event) => event.kind === 'correction' && event.text),
      ['Just 25.'],
    )
  })

  it('says why', async () => {
    assert.match(await type('one', '/why'), /Version\s+v1[\s\S]+Profile\s+staff@1[\s\S]+Everyone gets 25 days\./)
  })

  it('asks which of two replies is better and tells the versions then', async () => {
    script = () => ({ chunks: ['Long'], version: 'v1', against: { text: 'Short', version: 'v2' } })
    const shown = await type('which?', '2', '/up')
    assert.match(shown, /── 1 ──\nLong[\s\S]+── 2 ──\nShort[\s\S]+You chose 2: 1 was v1, 2 was v2\./)
    assert.deepEqual(
      bot.said.map((event) => event.kind),
      ['duel', 'vote'],
    )
  })

  it('hands /hone to the bot, as the admin who sits at it', async () => {
    assert.match(await type('/hone versions'), /Command: \*\*versions\*\*/)
  })

  for (const [line, words] of [
    ['/up', /There is no reply yet/],
    ['/better', /There is no reply yet/],
    ['/nonsense', /no command \/nonsense/],
    ['/stop', /No reply is being written/],
    ['x'.repeat(8001), /8001 characters; at most 8000/],
  ] as const) {
    it(`says what is wrong with ${line.slice(0, 12)}`, async () => {
      assert.match(await type(line), words)
    })
  }

  it('says a slash that is doubled', async () => {
    assert.match(await type('//etc is a folder'), /Answer 1 to \/etc is a folder/)
  })

  it('shows an error and goes on', async () => {
    script = (text) => (text === 'bad' ? { chunks: [], error: 'The engine was restarted.' } : { chunks: ['Fine'] })
    assert.match(await type('bad', 'good'), /The engine was restarted\.[\s\S]+Fine/)
  })

  it('lets no reply move the cursor', async () => {
    script = () => ({ chunks: ['safe\u001b[2J\u009b31m\u0007'] })
    assert.match(await type('one'), /safe\[2J31m\n/)
  })

  it('stops the reply that is being written, by a line that overtakes the others', async () => {
    script = () => ({ chunks: ['Endless', new Promise(() => undefined)] })
    const { output, seen } = screen()
    const input = new PassThrough()
    const chat = terminal(bot, { input, output, admin: true })
    input.write('go\n')
    await seen('Endless')
    input.end('/stop\n')
    await chat
    assert.deepEqual(bot.stopped, [bot.received[0]?.id])
  })

  it('stops with one Ctrl-C and quits with two', async () => {
    script = () => ({ chunks: ['Endless', new Promise(() => undefined)] })
    const { output, seen } = screen()
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
    const chat = terminal(bot, { input, output: Object.assign(output, { isTTY: true, columns: 80 }), admin: true })
    input.write('go\r')
    await seen('Endless')
    input.write('\u0003')
    await bot.idle()
    assert.equal(bot.stopped.length, 1)
    input.write('\u0003')
    await seen('Press Ctrl-C again')
    input.write('\u0003')
    await chat
  })

  it('ends when it is told to, in the middle of a reply', async () => {
    script = () => ({ chunks: ['Endless', new Promise(() => undefined)] })
    const { output, seen } = screen()
    const input = new PassThrough()
    const end = new AbortController()
    const chat = terminal(bot, { input, output, admin: true, signal: end.signal })
    input.write('go\n')
    await seen('Endless')
    end.abort()
    await chat
  })

  it('follows a run that was started here, in plain lines', async () => {
    const store = memoryStore()
    const learning = fakeLearning(store)
    const taught = fakeBot({ store, learning })
    const training: Bot = {
      ...taught,
      async command(request) {
        await learning.start(request.person.id)
        return { ok: true, text: 'Training has begun.' }
      },
    }
    const { output, seen, text } = screen()
    const input = new PassThrough()
    const chat = terminal(training, { input, output, admin: true })
    input.write('/hone retrain\n')
    await seen('Training has begun.')
    await learning.advance(40)
    await learning.finish('refuse')
    await seen('the gate refused')
    input.end()
    await chat
    assert.match(text(), /training 4\/40 loss 0\.\d{3}[\s\S]+training 40\/40[\s\S]+✕ Still reads other text/)
  })

  describe('asked once', () => {
    it('prints the reply and its sources', async () => {
      const { output, text } = screen()
      await once(bot, 'one', { output })
      assert.equal(text(), 'Answer 1 to one [1]\n[1] Time off - Vacation time-off.md\n')
    })

    it('prints one JSON object', async () => {
      const { output, text } = screen()
      await once(bot, 'one', { output, json: true })
      const { turn, ...rest } = JSON.parse(text())
      assert.deepEqual(rest, { text: 'Answer 1 to one [1]', sources, version: 'v1' })
      assert.match(turn, /^b_/)
    })

    it('fails with the error when there is no reply', async () => {
      script = () => ({ chunks: [], error: 'The engine was restarted.' })
      await assert.rejects(once(bot, 'one', { output: screen().output }), { code: 'ENGINE_FAILED' })
    })
  })

  describe('as a channel', () => channelContract(harness))
})

async function harness(): Promise<ChannelHarness> {
  let channel: Channel | undefined
  const bot: Bot = {
    ...fakeBot(),
    attach(attached) {
      channel = attached
      return () => undefined
    },
  }
  const { output, text } = screen()
  const input = new PassThrough()
  const chat = terminal(bot, { input, output, admin: false })
  if (!channel) throw new Error('The terminal attached no channel.')
  const person = { id: 'terminal:you', name: 'You' }
  const place = {
    channel: 'terminal',
    tenant: 'terminal',
    thread: 'terminal:main:t1',
    person,
    scopes: [],
    at: new Date(0),
  }
  return {
    channel,
    event: (name) => ({ kind: 'message', text: 'How many days?', id: `terminal:${name}`, ...place }),
    shown: async () => text(),
    close: async () => {
      input.end()
      await chat
    },
  }
}
