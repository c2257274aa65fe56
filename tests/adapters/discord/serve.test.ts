import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { permissionsIn } from '../../../adapters/discord/rights.ts'
import { createBot } from '../../../src/bot.ts'
import { discordFindings, manifest, openDiscord } from '../../../src/cli/discord.ts'
import { readConfig } from '../../../src/config.ts'
import { echo } from '../../../src/engines/echo.ts'
import { HoneError } from '../../../src/errors.ts'
import { silent } from '../../../src/log.ts'
import type { Engine, Version } from '../../../src/ports/engine.ts'
import { parseProfile } from '../../../src/prompt/profile.ts'
import { createSlot } from '../../../src/slot.ts'
import { sqlite } from '../../../src/store/index.ts'
import { type FakeDiscord, fakeDiscord } from '../../fakes/discord/index.ts'
import { memoryStore } from '../../fakes/memory-store.ts'

/** Never says the same twice. */
function variedEngine(version: Version): Engine {
  let count = 0
  return {
    ...echo({ version }),
    async *generate() {
      count += 1
      yield { kind: 'text', text: `Answer ${count}` }
      yield { kind: 'end', reason: 'stop', usage: { prompt: 1, evaluated: 1, completion: 1 } }
    },
  }
}

describe('Discord from the environment', () => {
  let server: FakeDiscord
  let dir: string
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'hone-discord-'))
    server = await fakeDiscord()
  })
  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })
  const config = (more: Record<string, string> = {}) =>
    readConfig({ DISCORD_TOKEN: server.token, HONE_DISCORD_API: server.url, HONE_DATA: dir, ...more })
  const makeBot = async (stack: AsyncDisposableStack, duelRate = 0) => {
    const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou are the desk.', 'desk.md')
    const load = async (version: Version) => variedEngine(version)
    const slot = stack.use(await createSlot({ load, first: { id: 'v0', base: 'e' }, log: silent }))
    return stack.use(await createBot({ store: memoryStore(), slot, profile, log: silent, duelRate }))
  }
  const refused = async (settings: Record<string, string>): Promise<unknown> => {
    await using stack = new AsyncDisposableStack()
    return openDiscord(await makeBot(stack), config(settings), silent).then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  it('is served where a token is set, and takes a blind duel', async () => {
    const channel = server.world.channel(server.world.guild('Garden club'), 'questions')
    await using stack = new AsyncDisposableStack()
    const bot = await makeBot(stack, 1)
    const served = await openDiscord(bot, config(), silent)
    assert.ok(served)
    stack.use(served)
    const anna = server.person('anna')
    await server.until(() => server.state.commands.has('global'), 'the commands')
    anna.say(channel, 'one', { mention: true })
    const duel = () => server.said(channel).find(({ components }) => JSON.stringify(components).includes(':duel-left:'))
    await server.until(() => duel() !== undefined, 'a duel')
    const message = duel()
    assert.ok(message)
    const id = /"(hone:duel-left:[^"]+)"/.exec(JSON.stringify(message.components))?.[1] ?? ''
    assert.ok(id.length <= 100)
    const { answer } = await anna.press(channel, message, id)
    assert.match(JSON.stringify(answer?.data), /You chose A\. A was v0, B was v0\./)
    const [left = ''] = id.replace('hone:duel-left:', '').split('.')
    assert.equal((await bot.store.feedback.ofTurn(left)).duels[0]?.outcome, 'left')
  })

  it('leaves a reply in progress to the next start when it is ended', async () => {
    const channel = server.world.channel(server.world.guild('Garden club'), 'questions')
    await using store = await sqlite(':memory:')
    const profile = parseProfile('---\nname: desk\npassages: 0\n---\nYou are the desk.', 'desk.md')
    const endless = (version: Version): Engine => ({
      ...echo({ version }),
      async *generate(_, { signal } = {}) {
        yield { kind: 'text', text: 'Half a reply' }
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
        yield { kind: 'end', reason: 'stop', usage: { prompt: 1, evaluated: 1, completion: 1 } }
      },
    })
    const load = async (version: Version) => endless(version)
    await using slot = await createSlot({ load, first: { id: 'v0', base: 'e' }, log: silent })
    const bot = await createBot({ store, slot, profile, log: silent })
    const served = await openDiscord(bot, config(), silent)
    await server.until(() => server.state.commands.has('global'), 'the commands')
    server.person('anna').say(channel, 'one', { mention: true })
    await server.until(() => server.said(channel).length === 1, 'half a reply')
    await served?.[Symbol.asyncDispose]()
    await bot[Symbol.asyncDispose]()
    assert.deepEqual(
      server.said(channel).map(({ content }) => content),
      ['Half a reply'],
    )
    assert.equal((await store.inbox.unsettled()).length, 1)
  })

  it('is not there where no token is set', async () => {
    await using stack = new AsyncDisposableStack()
    assert.equal(await openDiscord(await makeBot(stack), readConfig({ HONE_DATA: dir }), silent), undefined)
  })

  it('says what to do when Discord refuses the token', async () => {
    const error = await refused({ DISCORD_TOKEN: 'another' })
    assert.ok(error instanceof HoneError && error.code === 'CONFIG')
    assert.match(error.message, /does not take DISCORD_TOKEN/)
  })

  it('takes ids of people and channels, and no names', () => {
    for (const name of ['HONE_DISCORD_ADMINS', 'HONE_DISCORD_CHANNELS']) {
      assert.throws(() => config({ [name]: '80351110224678912, anna' }), /17 to 20 digits/)
      config({ [name]: '80351110224678912, 1080351110224678912' })
    }
  })

  it('blames no token for the page of a proxy', async () => {
    const proxy = createServer((_, response) => response.setHeader('content-type', 'application/json').end('<html>'))
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    const { port } = proxy.address() as AddressInfo
    const error = await refused({ HONE_DISCORD_API: `http://127.0.0.1:${port}/api` })
    proxy.closeAllConnections()
    proxy.close()
    assert.ok(error instanceof HoneError && error.code === 'NETWORK')
  })

  it('is invited with the least permissions, more only for threads', () => {
    const token = `${Buffer.from('1234567890123456789').toString('base64')}.x.y`
    const link = (settings: Record<string, string>) =>
      (manifest(config({ DISCORD_TOKEN: token, ...settings })).manifest as { invite: string }).invite
    assert.match(link({}), /client_id=1234567890123456789&scope=bot\+applications\.commands&permissions=274878024704$/)
    assert.notEqual(link({ HONE_DISCORD_THREADS: 'on' }), link({}))
    assert.throws(() => manifest(config({ DISCORD_TOKEN: '' })), /DISCORD_TOKEN is not set/)
  })

  it('is looked at by the doctor: token, servers, intent, channels, policy', async () => {
    const channel = server.world.channel(server.world.guild('Garden club'), 'questions')
    channel.denied.add('view')
    const found = await discordFindings(config({ HONE_DISCORD_CHANNELS: channel.id }), silent)
    assert.deepEqual(
      found.map(({ ok, detail }) => `${ok} ${detail}`),
      [
        'true signed in as Hazel',
        'true the bot is in 1, and may do all it needs',
        'false switched off; HONE_DISCORD_CHANNELS needs it: switch it on on the page Bot',
        'false the bot can’t see it: add it to the channel',
        'true votes are kept and not trained on',
      ],
    )
    channel.denied.clear()
    const inChannel = async (settings = {}) =>
      (await discordFindings(config({ HONE_DISCORD_CHANNELS: channel.id, ...settings }), silent))[3]?.detail
    assert.equal(await inChannel(), 'the bot may do all it needs')
    const lacks = { send: 'Send Messages', history: 'Read Message History', embed: 'Embed Links' } as const
    for (const [denial, name] of Object.entries(lacks)) {
      channel.denied.add(denial as keyof typeof lacks)
      assert.match((await inChannel()) ?? '', new RegExp(`^the bot lacks ${name}: `))
      channel.denied.clear()
    }
    channel.denied.add('threads').add('inThreads')
    assert.match((await inChannel()) ?? '', /lacks Send Messages in Threads:/)
    const [threads, both] = [{ HONE_DISCORD_THREADS: 'on' }, /lacks Send Messages in Threads, Create Public Threads:/]
    assert.match((await inChannel(threads)) ?? '', both)
    const servers = async () => (await discordFindings(config(), silent))[1]
    server.world.guilds[0]?.denied.add('embed')
    assert.deepEqual(await servers(), {
      what: 'Discord servers',
      ok: false,
      detail: 'the bot lacks Embed Links in Garden club: open the link of `hone manifest discord` again',
    })
    server.world.guilds.length = 0
    assert.match((await servers())?.detail ?? '', /in none: open the link/)
    const [bad] = await discordFindings(config({ DISCORD_TOKEN: 'another' }), silent)
    assert.match(bad?.detail ?? '', /token is not taken/)
  })
})

describe('what the bot may do in a channel', () => {
  const [send, view] = [1n << 11n, 1n << 10n]
  const guild = {
    id: 'g',
    roles: [
      { id: 'g', permissions: String(view) },
      { id: 'bots', permissions: String(send) },
      { id: 'boss', permissions: String(1n << 3n) },
    ],
  }
  const may = (roles: readonly string[], ...permission_overwrites: { id: string; allow: string; deny: string }[]) =>
    permissionsIn({ permission_overwrites }, guild, { id: 'me', roles })
  const denied = (id: string, bits: bigint) => ({ id, allow: '0', deny: String(bits) })
  const allowed = (id: string, bits: bigint) => ({ id, allow: String(bits), deny: '0' })

  it('comes from its roles, and from what the channel says of everybody, of the roles, of the bot, in this order', () => {
    assert.equal(may([]), view)
    assert.equal(may(['bots']), view | send)
    assert.equal(may(['bots'], denied('g', send | view)), 0n)
    assert.equal(may(['bots'], denied('g', view), allowed('bots', view)), view | send)
    assert.equal(may(['bots'], allowed('bots', view), denied('me', send)), view)
    assert.equal(may([], allowed('bots', send)), view)
  })
  it('is everything for an administrator, whatever the channel says', () => {
    assert.ok(may(['boss'], denied('g', send)) & send)
  })
})
