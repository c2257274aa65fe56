import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { REST } from 'discord.js'
import { createApi } from '../../../adapters/discord/api.ts'
import { createPace } from '../../../adapters/discord/pace.ts'
import { createBot } from '../../../src/bot.ts'
import { echo } from '../../../src/engines/echo.ts'
import { silent } from '../../../src/log.ts'
import type { Engine, Version } from '../../../src/ports/engine.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { createSlot } from '../../../src/slot.ts'
import { memoryStore } from '../../fakes/memory-store.ts'
import { openHouse } from './house.ts'

/** Says a word every few milliseconds. */
function slowEngine(version: Version): Engine {
  const speaker = echo({ version })
  return {
    ...speaker,
    async *generate(prompt, options) {
      for await (const delta of speaker.generate(prompt, options)) {
        if (delta.kind === 'end') yield delta
        else {
          for (let n = 0; n < 60; n++) {
            await sleep(40)
            yield { kind: 'text', text: `word${n} ` }
          }
          yield delta
        }
      }
    },
  }
}

describe('streaming to Discord', () => {
  it('writes twenty replies at once in one server without a 429, each in several steps', async () => {
    const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou are the desk.', 'desk.md')
    await using slot = await createSlot({
      load: async (version) => slowEngine(version),
      first: { id: 'v0', base: 'e' },
      log: silent,
    })
    await using bot = await createBot({ store: memoryStore(), slot, profile, log: silent })
    await using house = await openHouse(bot, { register: false })
    const { server, guild } = house
    const anna = server.person('anna')
    const channels = Array.from({ length: 20 }, (_, n) => server.newChannel(guild, `c${n}`))
    for (const channel of channels) anna.say(channel, 'one', { mention: true })
    const replies = () => channels.flatMap((channel) => server.said(channel))
    const done = () => replies().filter(({ components }) => JSON.stringify(components).includes(':up:')).length === 20
    await server.until(done, 'twenty replies', 18_000)
    const refused = server.state.calls
      .filter(({ status }) => status === 429)
      .map(({ method, path }) => `${method} ${path}`)
    assert.deepEqual(refused, [])
    const edits = replies().map(({ edits }) => edits)
    assert.ok(Math.min(...edits) >= 2, `edits: ${edits.join(' ')}`)
  })
})

describe('the pace of edits', () => {
  const headers = (remaining: number, after: number) =>
    new Headers({ 'x-ratelimit-remaining': String(remaining), 'x-ratelimit-reset-after': String(after) })

  it('spreads what is left over what is left of the window, and keeps one call for the end', () => {
    let now = 0
    const pace = createPace(50, () => now)
    assert.equal(pace.gap('c'), 0)
    pace.note('c', headers(4, 4))
    assert.equal(pace.gap('c'), 1000)
    pace.note('c', headers(1, 2))
    assert.equal(pace.gap('c'), 2000)
    now = 1500
    assert.equal(pace.gap('c'), 500)
    now = 5000
    assert.equal(pace.gap('c'), 0)
  })
  it('shares the limit of the whole bot among the replies that are being streamed', () => {
    const pace = createPace(50)
    const leave = Array.from({ length: 100 }, () => pace.join())
    assert.equal(pace.gap('c'), 5000)
    for (const one of leave) one()
    assert.equal(pace.gap('c'), 0)
  })
  it('takes no more than its part of the limit where several processes share it', () => {
    const { pace } = createApi(new REST(), () => '1', 2)
    for (let n = 0; n < 100; n++) pace.join()
    assert.equal(pace.gap('c'), 10_000)
  })
  it('knows nothing where the platform says nothing', () => {
    const pace = createPace(50)
    pace.note('c', new Headers())
    assert.equal(pace.gap('c'), 0)
  })
})
