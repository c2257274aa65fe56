import assert from 'node:assert/strict'
import { createBot } from '../../src/bot.ts'
import { echo } from '../../src/engines/echo.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { BotTurn, Store } from '../../src/ports/store.ts'
import { openProfiles } from '../../src/profiles.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import type { Resolvers } from '../../src/prompt/variables.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'

const profile = (persona: string, more = '') => parseProfile(`---\nname: desk\n${more}---\n${persona}`, 'desk.md')
const one = profile('You are Hazel.')
const two = profile('You are Ash.')
const cooler = profile('You are Hazel.', 'sampling: { temperature: 0 }\n')

describe('profiles', () => {
  let store: Store
  beforeEach(async () => {
    store = await sqlite(':memory:')
  })
  afterEach(() => store[Symbol.asyncDispose]())
  const open = (file = one) => openProfiles({ store, file, log: silent })

  it('serve what was promoted last, after a restart too, until their file changes', async () => {
    const shelf = await open()
    await shelf.keep(two)
    await shelf.promote(two.version.slice(0, 6), 'web:anna')
    assert.equal((await open()).serving.version, two.version)
    assert.equal((await open(cooler)).serving.version, cooler.version)
    assert.equal((await open(one)).serving.version, one.version, 'a file that was changed back has changed')
    const log = await store.profiles.log('desk')
    assert.deepEqual(
      log.map(({ by, why }) => [by, why]),
      [
        ['start', 'file'],
        ['start', 'file'],
        ['web:anna', 'promoted'],
        ['start', 'file'],
      ],
    )
  })

  it('go back a step with each rollback, until there is none', async () => {
    const shelf = await open()
    for (const next of [two, cooler]) await shelf.keep(next)
    for (const next of [two, cooler, cooler]) await shelf.promote(next.version, 'a')
    assert.equal((await shelf.rollback('a')).version, two.version)
    assert.equal((await shelf.rollback('a')).version, one.version)
    await assert.rejects(shelf.rollback('a'), { code: 'NOT_FOUND', message: /No other version of desk served before/ })
    assert.equal((await open()).serving.version, one.version)
  })

  it('are those of one name', async () => {
    const shelf = await open()
    const other = parseProfile('---\nname: other\n---\n', 'other.md')
    await openProfiles({ store, file: other, log: silent })
    await assert.rejects(shelf.find(other.version), { code: 'NOT_FOUND' })
    await assert.rejects(shelf.keep(other), { code: 'INPUT' })
    assert.equal((await shelf.list()).length, 1)
  })

  describe('in a chat', () => {
    let bot: Bot
    const stack = { resolvers: {} as Resolvers }
    const start = async (file = one) => {
      const slot = await createSlot({
        load: async (version) => echo({ version }),
        first: { id: 'v0', base: 'echo' },
        log: silent,
      })
      bot = await createBot({ store, slot, profile: file, log: silent, variables: stack.resolvers })
    }
    const ask = async (text: string, person = 'anna', thread = 'api:t'): Promise<BotTurn> => {
      const who = { id: `api:${person}`, name: person }
      for await (const event of bot.ask(text, { thread, person: who }))
        if (event.kind === 'error') throw new Error(event.message)
      return (await store.turns.history(thread, 50)).at(-1) as BotTurn
    }
    const command = (text: string, admin = true) =>
      bot.command({
        text,
        admin,
        tenant: 'api',
        channel: 'api',
        thread: 'api:t',
        person: { id: 'api:anna', name: 'Anna' },
      })
    const messages = async ({ prompt }: BotTurn) => store.turns.prompt(prompt)
    afterEach(() => bot[Symbol.asyncDispose]())

    it('are for admins, show what would change, and want a second word for it', async () => {
      await start()
      await (await open(two)).keep(two)
      assert.match((await command('profile list', false)).text, /for admins/)
      assert.match((await command('profile')).text, new RegExp(`${one.version}.* · serves`))
      const asked = await command(`profile promote ${two.version}`)
      assert.match(asked.text, /- You are Hazel\.\n\+ You are Ash\.[\s\S]+Say `profile promote \w+ confirm`/)
      assert.equal((await ask('Hello')).profile, one.version)
      assert.equal((await command(`profile promote ${two.version} confirm`)).ok, true)
      assert.match((await command('profile show')).text, /You are Ash/)
      assert.equal((await ask('Hello')).profile, two.version)
      assert.match((await command('profile rollback')).text, /Say `profile rollback confirm`/)
      assert.equal((await command('profile rollback confirm')).ok, true)
      assert.equal((await ask('Hello')).profile, one.version)
      for (const wrong of ['profile constructor', 'profile promote', 'profile promote zzz confirm'])
        assert.equal((await command(wrong)).ok, false, wrong)
    })

    it('leave a thread its prompt when only its settings change, and begin it anew when its texts do', async () => {
      await start()
      const first = await ask('Hello')
      for (const next of [cooler, two]) await store.profiles.put('desk', next.version, next.source)
      await command(`profile promote ${cooler.version} confirm`)
      const second = await ask('And now?')
      assert.equal(second.profile, cooler.version)
      assert.deepEqual((await messages(second)).slice(0, 2), await messages(first))
      assert.equal(second.usage.evaluated, second.usage.prompt - first.usage.prompt)
      await command(`profile promote ${two.version} confirm`)
      const third = await ask('And then?')
      assert.equal((await messages(third))[0]?.content, 'You are Ash.')
      assert.ok((await messages(third)).some(({ content }) => content === 'And now?'))
    })

    it('record on each reply the values it was told, and tell a thread only new ones', async () => {
      const plans = ['free', 'free', 'team']
      stack.resolvers = { plan: () => plans.shift() }
      await start(
        profile(
          'You speak with {{person.name}}, plan {{plan}}.',
          'variables: { plan: { default: none } }\ntone: { people: { "api:bob": Be short. } }\n',
        ),
      )
      const turns = [await ask('One'), await ask('Two'), await ask('Three', 'bob')]
      const last = await Promise.all(turns.map(async (turn) => (await messages(turn)).at(-1)?.content))
      assert.deepEqual(last, [
        '<facts>\nperson.name: anna\nplan: free\n</facts>\n\nOne',
        'Two',
        '<facts>\nperson.name: bob\nplan: team\n</facts>\n\n<tone>\nBe short.\n</tone>\n\nThree',
      ])
      assert.deepEqual(turns[2]?.variables, { 'person.name': 'bob', plan: 'team', tone: 'Be short.' })
    })
  })
})
