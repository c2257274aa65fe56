import assert from 'node:assert/strict'
import { type BotOptions, createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { commandsOf, receiptOf } from '../../src/id.ts'
import { silent } from '../../src/log.ts'
import type { Bot, CommandRequest } from '../../src/ports/bot.ts'
import type { Channel, Person } from '../../src/ports/channel.ts'
import type { Version } from '../../src/ports/engine.ts'
import type { Learning } from '../../src/ports/learning.ts'
import type { Job, Store } from '../../src/ports/store.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'
import { withTenants } from '../../src/tenants.ts'
import { fakeComparing } from '../fakes/comparing.ts'
import { fakeLearning } from '../fakes/learning.ts'

const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou are Hazel.', 'desk.md')
const anna: Person = { id: 'team:anna', name: 'Anna' }
const ben: Person = { id: 'team:ben', name: 'Ben' }
const place = { channel: 'team', tenant: 'team', thread: 'team:hall:1', person: anna, scopes: [], admin: true }

describe('a command', () => {
  let store: Store
  beforeEach(async () => {
    store = await sqlite(':memory:')
  })
  afterEach(() => store[Symbol.asyncDispose]())

  /** A process with the bot in it; what it says that is no reply is in `told`. */
  async function life(options: Partial<BotOptions> & { readonly learning?: Learning } = {}) {
    const slot = await createSlot({
      load: async (version) => echo({ version }),
      first: { id: 'v0', base: 'e' },
      log: silent,
    })
    const bot = await createBot({ store, slot, profile, log: silent, ...options })
    const told: { readonly thread: string; readonly text: string; readonly person: string | undefined }[] = []
    const channel: Channel = {
      name: 'team',
      async deliver(event, events) {
        for await (const _ of events);
        return [{ thread: event.thread, id: event.id }]
      },
      async notice(thread, text, person) {
        told.push({ thread, text, person: person?.id })
      },
    }
    const detach = bot.attach(channel)
    const end = async () => {
      await bot[Symbol.asyncDispose]()
      await slot[Symbol.asyncDispose]()
    }
    return { bot, told, detach, end, [Symbol.asyncDispose]: end }
  }
  const give = (bot: Bot, text: string, change: Partial<CommandRequest> = {}) =>
    bot.command({ ...place, text, ...change })
  /** A command that the last process took and did not answer. */
  const cutShort = (text: string, at = new Date()) => {
    const where = { tenant: 'team', channel: commandsOf('team'), thread: place.thread, person: anna, scopes: [] }
    return store.inbox.claim({ kind: 'message', id: `c:${text}`, text, at, ...where })
  }
  /** What the next process says about what the last one left. */
  const toldNext = async (options: Parameters<typeof life>[0] = {}) => {
    const next = await life(options)
    await next.end()
    return next.told
  }

  describe('compare', () => {
    it('is for admins, and tells the thread that started it what came out', async () => {
      const learning = { ...fakeLearning(store), comparing: fakeComparing(store) }
      const ended = Promise.withResolvers<void>()
      await using on = await life({ learning: { ...learning, watch: () => follow(ended.promise) } })
      assert.match((await give(on.bot, 'compare', { admin: false })).text, /for admins/)
      const { ok, data } = await give(on.bot, 'compare start confirm')
      assert.ok(ok)
      await store.jobs.update((data as Job).id, { state: 'compared', endedAt: new Date() })
      ended.resolve()
      while (on.told.length === 0) await new Promise(setImmediate)
      assert.match(on.told[0]?.text ?? '', /^Comparison j\S+: \*\*compared\*\*\.\nUse DPO: it is nearer\.$/)
    })
    async function* follow(ended: Promise<void>): AsyncGenerator<never> {
      await ended
      yield* []
    }
  })

  it('tells anybody how many pairs a version learned from, and not whose they are', async () => {
    const pair = { origin: 'votes', chosen: 'b_1', rejected: 'b_2', people: ['web:ben'] } as const
    const version = { id: 'v1', serving: true, createdAt: new Date(), bytes: 1, pairs: [pair] }
    await using on = await life({ learning: { ...fakeLearning(store), versions: async () => [version] } })
    const { text, data } = await give(on.bot, 'versions')
    assert.match(text, /\*\*v1\*\* \(serves\) .* 1 pair(?!s)/)
    assert.deepEqual(data, [{ ...version, pairs: 1 }])
  })

  describe('where tenants learn apart', () => {
    it('asks and changes on behalf of the tenant where it is given', async () => {
      const asked: unknown[] = []
      const note =
        <T>(answer: T) =>
        async (...given: readonly unknown[]) => {
          asked.push(given.at(-1))
          return answer
        }
      const learning = {
        ...fakeLearning(store),
        tenants: async () => ['team'],
        ...{ plan: note({ method: 'dpo', rows: {}, leftOut: {}, secondsGuess: 1, memoryGuessMb: 1 } as const) },
        ...{ versions: note([]), promote: note(undefined), rollback: note('v0'), cancel: note(true) },
      }
      await using on = await life({ learning })
      for (const text of ['retrain --dry-run', 'versions', 'promote v1', 'rollback', 'cancel'])
        assert.equal((await give(on.bot, text)).ok, true, text)
      assert.deepEqual(asked, [{ tenant: 'team' }, 'team', 'team', 'team', 'team'])
    })

    it('tells of no other tenant’s version and runs', async () => {
      const load = async (version: Version) => echo({ version })
      const of = async (tenant: string) => (tenant === 'team' ? { id: 'v7', base: 'e' } : undefined)
      const first = await createSlot({ load, first: { id: 'v0', base: 'e' }, log: silent })
      await using slot = withTenants({ slot: first, load, versionOf: of, most: 1, log: silent })
      await using on = await life({ slot, learning: { ...fakeLearning(store), tenants: async () => ['team'] } })
      const run = { id: 'j1', kind: 'train', state: 'held', by: 'x', startedAt: new Date() } as const
      await store.jobs.start({ ...run, detail: { tenant: 'team' } })
      const status = async (tenant: string) => (await give(on.bot, 'status', { tenant })).text
      assert.match(await status('team'), /\*\*v7\*\* serves[\s\S]*Last training run: held/)
      assert.match(await status('other'), /\*\*v0\*\* serves[\s\S]*Nothing was trained yet/)
    })

    it('says of the last run what became of its canary, and until then that it is one', async () => {
      let end: string | undefined
      const live = { canary: async () => undefined, became: async () => end, look: async () => {}, on: () => () => {} }
      await using on = await life({ learning: { ...fakeLearning(store), live } })
      const run = { id: 'j1', kind: 'train', state: 'canary', by: 'x', startedAt: new Date() } as const
      await store.jobs.start({ ...run, detail: { version: 'v2' } })
      const status = async () => (await give(on.bot, 'status')).text.split('\n').at(-1)
      assert.equal(await status(), 'Last training run: canary.')
      end = 'Canary v2 is promoted: command.'
      assert.equal(await status(), 'Last training run: Canary v2 is promoted: command.')
    })
  })

  it('ends receipts for a person, and says where nobody gets any', async () => {
    const on = await life({ receipts: true })
    assert.match((await give(on.bot, 'receipts')).text, /^You are told once/)
    assert.match((await give(on.bot, 'receipts off')).text, /^You are not told/)
    assert.deepEqual([await store.wishes.receipts(anna.id), await store.wishes.receipts(ben.id)], [false, true])
    assert.equal((await give(on.bot, 'receipts maybe')).ok, false)
    assert.match((await give(on.bot, 'receipts on')).text, /^You are told once/)
    await on.end()
    await using off = await life()
    assert.match((await give(off.bot, 'receipts')).text, /its operator has left it off/)
  })

  describe('why', () => {
    const asked = async (bot: Bot) => {
      const { tenant, thread, person } = place
      for await (const event of bot.ask('Hello', { tenant, thread, person }))
        if (event.kind === 'done') return event.reply.turn
      throw new Error('no reply')
    }
    const elsewhere = { thread: 'team:@ben:1', person: ben }

    it('answers for a turn of the thread where it is asked, and to who wrote in its thread', async () => {
      await using on = await life()
      const turn = await asked(on.bot)
      assert.match((await give(on.bot, `why ${turn}`, { person: ben })).text, /version \*\*v0\*\*/)
      assert.match((await give(on.bot, `why ${turn}`, { thread: 'team:@anna:1' })).text, /version \*\*v0\*\*/)
    })

    it('answers for the other threads of a channel that its people can read', async () => {
      await using on = await life()
      const turn = await asked(on.bot)
      const sees = (thread: string) => thread.startsWith('team:hall:')
      assert.equal((await give(on.bot, `why ${turn}`, { person: ben, thread: 'team:hall:2', sees })).ok, true)
      assert.equal((await give(on.bot, `why ${turn}`, { ...elsewhere, sees: () => false })).ok, false)
    })

    it('tells of what a person can not see no more than of what is not there, admins included', async () => {
      await using on = await life()
      const turn = await asked(on.bot)
      const refused = await give(on.bot, `why ${turn}`, elsewhere)
      const unknown = await give(on.bot, 'why b_none', elsewhere)
      assert.equal(refused.ok, false)
      assert.equal(refused.text, unknown.text.replace('b_none', turn))
      const other = { ...elsewhere, tenant: 'other', sees: () => true }
      assert.equal((await give(on.bot, `why ${turn}`, other)).ok, false)
    })
  })

  it('is none that a receipt was, which a crash kept from being given', async () => {
    const place = { channel: commandsOf('team'), tenant: 'team', thread: 'team:hall:1', person: { id: '', name: '' } }
    const event = {
      kind: 'message',
      id: receiptOf('v1', anna.id),
      text: '',
      scopes: [],
      at: new Date(),
      ...place,
    } as const
    await store.inbox.claim(event)
    assert.deepEqual([await toldNext(), await store.inbox.unsettled()], [[], []])
  })

  describe('cut short by a crash', () => {
    it('is told to who gave it, once, where it was given', async () => {
      await cutShort('promote v1')
      const [told, ...more] = await toldNext()
      assert.deepEqual([told?.thread, told?.person, more], [place.thread, anna.id, []])
      assert.match(told?.text ?? '', /`promote v1`.*was not done: version \*\*v0\*\* serves.*again/)
      assert.deepEqual(await toldNext(), [])
    })

    it('is told as done where it was done, and is not done twice', async () => {
      for (const text of ['promote v1', 'rollback']) await cutShort(text)
      await store.serving.set('v1', anna.id, 'command')
      await using learning = { ...fakeLearning(store), [Symbol.asyncDispose]: async () => undefined }
      const told = await toldNext({ learning })
      assert.deepEqual(
        told.map(({ text }) => /version \*\*(\w+)\*\* serves/.exec(text)?.[1]),
        ['v1', 'v1'],
      )
      assert.deepEqual(learning.calls, [])
    })

    it('is not taken for somebody else’s, nor for an earlier one', async () => {
      await store.serving.set('v1', anna.id, 'command')
      await cutShort('promote v1', new Date(Date.now() + 1000))
      await store.serving.set('v1', ben.id, 'command')
      assert.match((await toldNext())[0]?.text ?? '', /was not done/)
    })

    it('that had started no run says so', async () => {
      await cutShort('retrain')
      assert.match((await toldNext())[0]?.text ?? '', /No training run was started/)
    })

    it('that had started a search or a comparison tells how that ended, once, and else that nothing was started', async () => {
      await cutShort('tune-prompt start confirm')
      await cutShort('compare start confirm', new Date(Date.now() + 60_000))
      const [job, detail] = [{ id: 'job_1', kind: 'train', by: anna.id } as const, { tune: {} }]
      await store.jobs.start({ ...job, state: 'running', startedAt: new Date(), detail })
      await store.jobs.update(job.id, { state: 'failed', endedAt: new Date(), detail })
      const told = (await toldNext()).map(({ text }) => text)
      assert.equal(told.length, 2)
      assert.match(told[0] ?? '', /`tune-prompt start confirm`\. Search for a prompt job_1: \*\*failed\*\*/)
      assert.match(told[1] ?? '', /`compare start confirm`\. Nothing was started/)
    })

    it('tells how a run ended that outlived its process, once', async () => {
      await cutShort('retrain')
      const learning = fakeLearning(store)
      const first = await life({ learning })
      const { data } = await give(first.bot, 'retrain')
      const { id } = data as { readonly id: string }
      // The process is gone; the next one finds the run in the jobs table, and marks it.
      const error = { message: 'Hone stopped while this run was on.', help: 'Train again.' }
      await store.jobs.update(id, { state: 'failed', endedAt: new Date(), detail: { error } })
      const told = await toldNext()
      assert.deepEqual(
        told.map(({ text }) => text),
        [`Training run ${id}: **failed**.\nHone stopped while this run was on. Train again.`],
      )
      assert.deepEqual(await toldNext(), [])
      await first.end()
    })

    it('keeps the end of a run that nobody could be told for the next start', async () => {
      const learning = fakeLearning(store)
      const on = await life({ learning })
      await give(on.bot, 'retrain')
      on.detach()
      await learning.finish('hold')
      await on.end()
      assert.match((await toldNext())[0]?.text ?? '', /\*\*held\*\*/)
    })

    it('finishes the deletion of a person, and tells it', async () => {
      const half = await life({ onForget: () => Promise.reject(new Error('killed')) })
      await assert.rejects(give(half.bot, 'forget-me confirm'))
      await half.end()
      const forgotten: string[] = []
      const onForget = async (person: string) => forgotten.push(person)
      const told = await toldNext({ onForget })
      assert.deepEqual(forgotten, [anna.id])
      assert.match(told[0]?.text ?? '', /all deleted now/)
      assert.equal(told[0]?.person, anna.id)
      assert.deepEqual(await toldNext({ onForget }), [])
      assert.deepEqual(await store.inbox.unsettled(), [])
    })

    it('is never put to the model', async () => {
      await cutShort('help')
      await toldNext()
      assert.deepEqual(await store.turns.history(place.thread, 9), [])
    })
  })
})
