import assert from 'node:assert/strict'
import { createBot } from '../../src/bot.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Channel, Reply } from '../../src/ports/channel.ts'
import type { EngineSlot } from '../../src/ports/engine.ts'
import type { Learning } from '../../src/ports/learning.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { scriptedSlot } from '../fakes/engine.ts'
import { type House, learned, openHouse } from '../training/house.ts'

const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou answer from the handbook.', 'desk.md')
const adminChannel = 'slack:T1:C1'

/** A channel that only tells; `until` resolves with the first notice that fits. */
function teller(name: string) {
  const told: string[] = []
  let wake = Promise.withResolvers<void>()
  const channel: Channel = {
    name,
    async deliver(_, events) {
      for await (const _one of events);
      return []
    },
    async notice(thread, text) {
      told.push(`${thread} ${text}`)
      wake.resolve()
    },
  }
  const until = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = told.find((text) => pattern.test(text))
      if (found !== undefined) return found
      await wake.promise
      wake = Promise.withResolvers()
    }
  }
  return { channel, told, until }
}

/** All of Hone but the model, with a bot that an admin and people use from outside. */
async function open() {
  const stack = new AsyncDisposableStack()
  const slot = stack.use(await scriptedSlot({ id: 'v0', base: 'base.gguf' }, learned))
  const live = { share: 0.5, days: 14, verdicts: 500 }
  const house = stack.use(await openHouse({ pairs: 40, more: { slot, live } }))
  return { house, slot, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const botOver = ({ store }: House, slot: EngineSlot, learning: Learning, duelRate = 0): Promise<Bot> =>
  createBot({ store, slot, profile, log: silent, learning, duelRate, adminChannel })

const command = (bot: Bot, text: string) => {
  const person = { id: 'web:admin', name: 'Admin' }
  return bot.command({ text, tenant: 'web', channel: 'web', thread: 'web:admin:t', person, admin: true })
}

async function ask(bot: Bot, name: string): Promise<Reply> {
  const person = { id: `api:${name}`, name }
  for await (const event of bot.ask('It takes 25 days. How long does leave take?', { thread: `api:${name}`, person }))
    if (event.kind === 'done') return event.reply
  throw new Error('no reply')
}

/** People ask in threads of their own and like what v1 says, until it is decided. */
async function untilDecided(bot: Bot): Promise<readonly string[]> {
  const versions: string[] = []
  for (let n = 0; await bot.learning?.live?.canary(); n++) {
    const { turn, version } = await ask(bot, `p${n}`)
    versions.push(version)
    const verdict = version === 'v1' ? 'up' : 'down'
    await bot.feedback({ kind: 'vote', tenant: 'api', person: { id: `api:p${n}`, name: '' }, turn, verdict })
    await bot.learning?.live?.look()
  }
  return versions
}

describe('A version that is proven live', function () {
  this.timeout(300_000)

  it('answers some of the people after its training, is shown with its counts, and serves all once they like it', async () => {
    await using it = await open()
    const { house, slot } = it
    await using bot = await botOver(house, slot, house.learning)
    const [admins, web] = [teller('slack'), teller('web')]
    for (const { channel } of [admins, web]) bot.attach(channel)
    assert.equal((await command(bot, 'retrain')).ok, true)
    assert.match(
      await web.until(/Training run/),
      /web:admin:t .*\*\*canary\*\*[\s\S]*v1 answers a share of the threads/,
    )
    assert.match(await admins.until(/begins/), /^slack:T1:C1 Canary v1 begins with 50 % of threads: gate: promote\.$/)
    assert.match((await command(bot, 'status')).text, /^Canary \*\*v1\*\*: 50 % of threads since .*; liked by 0 of 0/)
    assert.match((await command(bot, 'versions')).text, /\*\*v0\*\* \(serves\)[\s\S]*\*\*v1\*\* \(canary\)/)
    assert.match((await command(bot, 'retrain')).text, /v1 is a canary: wait .* `promote v1` or `rollback`/)

    const versions = await untilDecided(bot)
    assert.deepEqual(new Set(versions), new Set(['v0', 'v1']))
    const end = /Canary v1 is promoted: people say it is better\. 50 % of threads .* 20 decides\./
    assert.match(await admins.until(/promoted/), end)
    assert.match(await web.until(/promoted/), end)
    assert.equal((await ask(bot, 'later')).version, 'v1')
    assert.match((await command(bot, 'versions')).text, /\*\*v1\*\* \(serves\)/)
    await bot[Symbol.asyncDispose]()
    assert.deepEqual(await house.store.inbox.unsettled(), [])
  })

  it('is told after a restart to who waits for it, also when it was decided while nobody could be told', async () => {
    await using it = await open()
    const { house, slot } = it
    {
      await using bot = await botOver(house, slot, house.learning)
      const web = teller('web')
      bot.attach(web.channel)
      await command(bot, 'retrain')
      await web.until(/Training run/)
    }
    await house.learning[Symbol.asyncDispose]()
    await using reborn = await house.again()
    {
      await using bot = await botOver(house, slot, reborn)
      const web = teller('web')
      bot.attach(web.channel)
      assert.deepEqual(new Set(await untilDecided(bot)), new Set(['v0', 'v1']))
      await web.until(/Canary v1 is promoted/)
      assert.equal(web.told.length, 1)
    }
    await using bot = await botOver(house, slot, reborn)
    const [admins, web] = [teller('slack'), teller('web')]
    for (const { channel } of [admins, web]) bot.attach(channel)
    await admins.until(/^slack:T1:C1 Canary v1 is promoted/)
    assert.deepEqual(web.told, [])
  })

  it('meets the incumbent in blind duels, whose outcomes decide too', async () => {
    await using it = await open()
    const { house, slot } = it
    const watching = Array.fromAsync(house.learning.watch())
    await house.learning.start('web:admin')
    await watching
    await using bot = await botOver(house, slot, house.learning, 1)
    const duels = new Map<string, readonly [Reply, Reply]>()
    let next = Promise.withResolvers<string>()
    bot.attach({
      name: 'pair',
      duels: true,
      async deliver(_, events) {
        for await (const event of events)
          if (event.kind === 'duel') {
            duels.set(event.duel, [event.left, event.right])
            next.resolve(event.duel)
          }
        return []
      },
    })
    for (let n = 0; await house.learning.live?.canary(); n++) {
      const person = { id: `pair:p${n}`, name: '' }
      const where = { channel: 'pair', tenant: 'pair', thread: `pair:t${n}`, person, scopes: [], at: new Date() }
      await bot.receive({ kind: 'message', id: `e${n}`, text: 'It takes 25 days. How long?', ...where })
      const duel = await next.promise
      next = Promise.withResolvers()
      const [left, right] = duels.get(duel) ?? []
      assert.deepEqual(new Set([left?.version, right?.version]), new Set(['v0', 'v1']))
      const outcome = left?.version === 'v1' ? 'left' : 'right'
      await bot.feedback({ kind: 'duel', tenant: 'pair', person, duel, outcome })
      await house.learning.live?.look()
    }
    assert.equal(await house.store.serving.current(), 'v1')
    assert.match((await house.store.serving.log(1))[0]?.why ?? '', /preferred in duels by (\d+) of \1;/)
  })
})
