import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { talkThrough } from '../../src/cli/talking.ts'
import { createTalks, type Look, type Shown, type Talks } from '../../src/cli/talks.ts'
import { HoneError } from '../../src/errors.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Channel } from '../../src/ports/channel.ts'
import { screen } from '../adapters/terminal/screen.ts'
import { fakeBot } from '../fakes/bot.ts'

const look: Look = { isTTY: false, colours: false }
const you = { id: 'terminal:you', name: 'You' }

describe('chats for terminals of other processes', () => {
  let channels: Channel[]
  let bot: Bot
  let talks: Talks
  beforeEach(() => {
    channels = []
    const fake = fakeBot()
    bot = {
      ...fake,
      attach(channel) {
        channels.push(channel)
        return fake.attach(channel)
      },
    }
    talks = createTalks(async () => bot)
  })

  /** Begins a chat, and keeps what it shows. */
  async function begin() {
    const leaving = new AbortController()
    const shown = talks.talk(look, leaving.signal)[Symbol.asyncIterator]()
    const first = await shown.next()
    const next = async (): Promise<Shown | undefined> => (await shown.next()).value
    const leave = async () => {
      leaving.abort()
      while (await next());
    }
    return { talk: first.value && 'talk' in first.value ? first.value.talk : '', next, leave }
  }

  it('share the one channel of the bot, and tell the newest of those who are there', async () => {
    const [older, newer] = [await begin(), await begin()]
    const [channel] = channels
    assert.ok(channel && channels.length === 1)
    assert.equal(await channel.tell?.(you, 'One', []), true)
    assert.deepEqual(await newer.next(), { text: '\nOne\n' })
    await newer.leave()
    assert.equal(await channel.tell?.(you, 'Two', []), true)
    assert.deepEqual(await older.next(), { text: '\nTwo\n' })
    await older.leave()
    assert.equal(await channel.tell?.(you, 'Three', []), false)
  })

  it('keep the reply to a question whose terminal has left, and begin again', async () => {
    const chat = await begin()
    await chat.leave()
    const event = { id: 'e1', kind: 'message', text: 'Q?', channel: 'terminal', tenant: 'terminal' } as const
    await bot.receive({ ...event, thread: 'terminal:main:t1', person: you, scopes: [], at: new Date(0) })
    await (bot as ReturnType<typeof fakeBot>).idle()
    assert.equal((await bot.store.turns.history('terminal:main:t1', 9)).at(-1)?.text, 'You said: Q?')
    const again = await begin()
    await talks.type({ talk: again.talk, line: 1, text: 'Hello' })
    assert.deepEqual(await again.next(), { text: 'You said: Hello' })
    await assert.rejects(talks.type({ talk: chat.talk, line: 1, text: 'Hello' }), { code: 'NOT_FOUND' })
  })

  /** A terminal with a person at it. */
  function terminal() {
    const { output, seen } = screen()
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
    return { input, output: Object.assign(output, { isTTY: true, columns: 80 }), seen, say() {} }
  }

  it('are left with two Ctrl-C while a command runs, which has no reply to stop', async () => {
    const begun = Promise.withResolvers<void>()
    const command = () => {
      begun.resolve()
      return new Promise<never>(() => undefined)
    }
    bot = { ...bot, command }
    const { seen, ...person } = terminal()
    const chat = talkThrough(talks, person)
    await seen('Ask something')
    person.input.write('/hone promote v2\r')
    await begun.promise
    person.input.write('\u0003')
    await seen('Press Ctrl-C again')
    person.input.write('\u0003')
    await chat
  })

  it('end with the error of a line that did not get there', async () => {
    const type = async () => {
      throw new HoneError('STORE', 'The disk is full.')
    }
    const { seen, ...person } = terminal()
    const chat = talkThrough({ ...talks, type }, person)
    await seen('Ask something')
    person.input.write('Hello\r')
    await assert.rejects(chat, { code: 'STORE', message: 'The disk is full.' })
    assert.equal(await channels[0]?.tell?.(you, 'Still there?', []), false)
  })

  it('have colours as the terminal wants them', async () => {
    for (const colours of [true, false]) {
      const leaving = new AbortController()
      const shown = talks.talk({ ...look, colours }, leaving.signal)[Symbol.asyncIterator]()
      const first = await shown.next()
      const talk = first.value && 'talk' in first.value ? first.value.talk : ''
      await talks.type({ talk, line: 1, text: '/up' })
      const { value } = await shown.next()
      assert.equal(value && 'text' in value && value.text.includes('\u001b['), colours)
      leaving.abort()
    }
  })
})
