import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { serve } from '@hono/node-server'
import { openKnowledge } from '../../knowledge/index.ts'
import { type Desk, localDesk } from '../../src/cli/desk.ts'
import { createIngests } from '../../src/cli/ingests.ts'
import { packageRoot } from '../../src/cli/model.ts'
import { promptFacts } from '../../src/cli/prompt-facts.ts'
import { openDesk, remoteDesk } from '../../src/cli/remote.ts'
import { talkThrough } from '../../src/cli/talking.ts'
import { childEnvironment, readConfig } from '../../src/config.ts'
import { silent } from '../../src/log.ts'
import type { Store } from '../../src/ports/store.ts'
import { openProfiles } from '../../src/profiles.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createReplays } from '../../src/replay/replays.ts'
import { lockDataDir } from '../../src/store/index.ts'
import { forgetInTraining, parseRows } from '../../training/index.ts'
import { type FakeBot, fakeBot } from '../fakes/bot.ts'
import { openHouse } from '../training/house.ts'

const never = new AbortController().signal
const bot = { exampleMessages: async () => 0, learn: async () => 'own' as const, embed: async () => undefined }

/** The same answer for every call. */
function onlyOnce<A, T>(make: (given: A) => Promise<T>): (given: A) => Promise<T> {
  let made: Promise<T> | undefined
  return (given) => {
    made ??= make(given)
    return made
  }
}

describe('commands beside a running server', function suite() {
  describe('ask its desk', () => {
    let stack: AsyncDisposableStack
    let dir: string
    let url: string
    let desk: Desk
    let chatting: FakeBot
    let close: () => Promise<void>
    /** Resolves when the server has noticed that a terminal is gone. */
    let gone: PromiseWithResolvers<void>
    beforeEach(async () => {
      stack = new AsyncDisposableStack()
      const shelf = onlyOnce(async (store: Store) => {
        const file = parseProfile('---\nname: desk\n---\nYou are the desk.', 'desk.md')
        return openProfiles({ store, file, log: silent })
      })
      const more = (store: Store) => ({
        bot,
        prompts: promptFacts(
          () => shelf(store),
          async () => store,
        ),
      })
      const house = stack.use(await openHouse({ more }))
      dir = house.dir
      stack.use(lockDataDir(dir))
      const config = readConfig({ HONE_DATA: dir })
      const forget = async (person: string) => {
        const rows = await house.store.feedback.forget(person)
        return { rows, ...(await forgetInTraining(person, { ...house, dataDir: dir })) }
      }
      const replays = createReplays({
        ...house,
        profiles: await shelf(house.store),
        channels: ['web'],
        declines: () => false,
        log: silent,
      })
      const knowledge = stack.use(await openKnowledge({ dir: join(dir, 'k'), log: silent, vectors: 'usearch' }))
      const ingests = stack.use(createIngests(knowledge, silent))
      chatting = fakeBot()
      const parts = {
        bot: async () => chatting,
        knowledge: async () => knowledge,
        ingests: async () => ingests,
        replays: async () => replays,
        learning: async () => house.learning,
        slot: async () => house.slot,
        registry: async () => house.registry,
        store: async () => house.store,
        profiles: () => shelf(house.store),
        config,
        forget,
        model: () => ({ base: join(dir, 'base.gguf'), starter: true }),
      }
      gone = Promise.withResolvers()
      const local = localDesk(parts)
      const talk: Desk['talk'] = (look, signal) => {
        signal.addEventListener('abort', () => gone.resolve())
        return local.talk(look, signal)
      }
      const open = stack.use(openDesk({ ...local, talk }, dir))
      const fetch = async (request: Request) => (await open.fetch(request)) ?? new Response('other', { status: 404 })
      const server = serve({ fetch, port: 0, hostname: '127.0.0.1' })
      await once(server, 'listening')
      stack.defer(() => void server.close())
      close = async () => void ('closeAllConnections' in server && server.closeAllConnections())
      url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`
      await open.announce(url)
      desk = (await remoteDesk(dir)) ?? assert.fail('There is no desk.')
    })
    afterEach(() => stack.disposeAsync())

    /** Types lines into a chat of its own and answers what was shown there. */
    const typed = async (lines: readonly string[]) => {
      const [input, output] = [new PassThrough(), new PassThrough()]
      const notices: string[] = []
      input.end(lines.map((line) => `${line}\n`).join(''))
      await talkThrough(desk, { input, output, say: (text) => void notices.push(text) })
      output.end()
      return { notices, text: (await Array.fromAsync(output, String)).join('') }
    }

    it('which answers one question', async () => {
      const events = await Array.fromAsync(desk.ask('How long?', never))
      const last = events.at(-1)
      assert.ok(last?.kind === 'done' && last.reply.text === 'You said: How long?')
    })

    it('which people chat with in as many terminals as they like, each in a thread of its own', async () => {
      const both = await Promise.all([typed(['one', '/up', '/again']), typed(['two', '/better Just 2.'])])
      const [first, second] = both.map(({ text }) => text)
      assert.match(first ?? '', /^Ask something.*\nYou said: one\n+Thank you\.\nYou said: one\n/)
      assert.match(second ?? '', /^Ask something.*\nYou said: two\n+Thank you, kept/)
      assert.match(both[0].notices.join(), /^Starter model/)
      assert.equal(new Set(chatting.received.map(({ thread }) => thread)).size, 2)
      assert.deepEqual(chatting.said.map(({ kind }) => kind).sort(), ['correction', 'vote'])
      assert.match((await typed(['three'])).text, /You said: three/)
    })

    it('which notices when a terminal is gone, though nothing is being said', async () => {
      const leaving = new AbortController()
      const shown = desk.talk({ isTTY: false, colours: false }, leaving.signal)[Symbol.asyncIterator]()
      await shown.next()
      leaving.abort()
      await assert.rejects(shown.next(), { code: 'CANCELLED' })
      await gone.promise
    })

    it('which stops what nobody waits for any more', async () => {
      const stop = new AbortController()
      const asked = desk.ask('Anyone?', stop.signal)[Symbol.asyncIterator]()
      stop.abort()
      await assert.rejects(asked.next(), { code: 'CANCELLED' })
    })

    it('which says so when it goes while somebody chats', async () => {
      const [input, output] = [new PassThrough(), new PassThrough()]
      const chat = talkThrough(desk, { input, output, say() {} })
      output.once('data', () => void close())
      await assert.rejects(chat, { code: 'DATA_LOCKED', message: /broke off/ })
    })

    it('which reads documents, meant from where the command is run, and finds passages in them', async () => {
      writeFileSync(join(dir, 'leave.md'), '# Leave\n\nYou get 25 days of vacation.\n')
      const told = await Array.fromAsync(desk.ingest({ source: 'leave.md', base: dir }))
      const end = told.at(-1)
      assert.deepEqual(told[0], { step: { done: 1, total: 1, document: 'leave.md' } })
      assert.ok(end && 'report' in end && end.report.added === 1)
      assert.match((await desk.search('vacation'))[0]?.text ?? '', /25 days/)
      const missing = Array.fromAsync(desk.ingest({ source: 'nowhere', base: dir }))
      await assert.rejects(missing, { code: 'INPUT', message: /nowhere can't be read/ })
    })

    it('which trains, with progress, and lists, promotes and takes back versions', async () => {
      const events = await Array.fromAsync(desk.train({ seed: 7 }))
      const steps = events.filter((event) => event.kind === 'train' && event.event.type === 'step')
      assert.equal(steps.length, 3)
      const last = events.at(-1)
      assert.ok(last?.kind === 'state' && last.job.state === 'promoted' && last.job.endedAt instanceof Date)
      const serving = async () => (await desk.versions()).find((version) => version.serving)
      const version = await serving()
      assert.ok(version?.id === 'v1' && version.createdAt instanceof Date)
      const judged = await Array.fromAsync(desk.evaluate('v1', never))
      const report = judged.at(-1)
      assert.ok(report && 'report' in report && report.version === 'v1' && report.report.checks.length > 20)
      assert.ok(judged.some((told) => 'say' in told && told.say === 'Measuring v1.'))
      await assert.rejects(Array.fromAsync(desk.evaluate('v9', never)), { code: 'NOT_FOUND' })
      assert.equal(await desk.rollback(), 'v0')
      await desk.promote({ version: 'v1' })
      assert.equal((await serving())?.id, 'v1')
    })

    it('which compares techniques, with progress, and gives the table to whoever asks', async () => {
      assert.equal(await desk.comparison(), null)
      const options = { only: ['bare', 'dpo'] }
      assert.deepEqual(
        (await desk.comparePlan(options)).rows.map(({ id }) => id),
        ['base', 'bare', 'dpo'],
      )
      const last = (await Array.fromAsync(desk.compare(options))).at(-1)
      assert.ok(last?.kind === 'state' && last.job.state === 'compared')
      const comparison = await desk.comparison()
      assert.ok(comparison?.startedAt instanceof Date && comparison.rows.every(({ measured }) => measured))
    })

    it('which searches a better prompt, with progress, and gives the report to whoever asks', async () => {
      assert.equal(await desk.tuned(), null)
      const options = { budget: { tokens: 20_000 } }
      assert.deepEqual((await desk.tunePlan(options)).profile.name, 'desk')
      const last = (await Array.fromAsync(desk.tune(options))).at(-1)
      assert.ok(last?.kind === 'state' && last.job.endedAt instanceof Date)
      const report = await desk.tuned()
      assert.ok(report?.startedAt instanceof Date && report.tried.length > 0)
    })

    it('which counts, exports and imports feedback', async () => {
      const before = await desk.stats()
      const row = { prompt: [{ role: 'user', content: 'Q?' }], chosen: 'a', rejected: 'b' }
      assert.deepEqual(await desk.importRows(parseRows(JSON.stringify(row), 'dpo')), { added: 1, known: 0 })
      assert.equal((await desk.stats())['pairs from imports'], (before['pairs from imports'] ?? 0) + 1)
      assert.ok((await desk.exportRows('dpo')).length > 50)
    })

    it('which forgets people', async () => {
      const { rows, versions } = await desk.forget('web:anna')
      assert.ok(rows > 100)
      assert.deepEqual([versions, (await desk.stats()).pairs], [[], 0])
    })

    it('which keeps, promotes and takes back profiles', async () => {
      const version = await desk.keepProfile('---\nname: desk\n---\nYou are the night desk.')
      await desk.promoteProfile(version)
      assert.match(await desk.profile(null), /night desk/)
      const [newest] = await desk.profiles()
      assert.ok(newest?.serving && newest.version === version && newest.createdAt instanceof Date)
      await desk.rollbackProfile()
      assert.match(await desk.profile(null), /the desk/)
      await assert.rejects(desk.keepProfile('---\nname: other\n---\n'), { code: 'INPUT', message: /"desk".*"other"/ })
    })

    it('which replays past threads, and tells of each message', async () => {
      assert.equal(await desk.lastReplay(), null)
      const profile = '---\nname: desk\n---\nYou are the night desk.'
      const turns = await Array.fromAsync(desk.replay({ profile, turns: 2 }))
      assert.ok(turns.length === 2 && turns.every(({ askedAt, fresh }) => askedAt instanceof Date && fresh))
      const replay = await desk.lastReplay()
      assert.ok(replay?.state === 'done' && replay.endedAt instanceof Date)
      assert.equal(await desk.cancelReplay(), false)
      await assert.rejects(Array.fromAsync(desk.replay({ profile, tenant: 'T9' })), { code: 'NOT_FOUND' })
    })

    it('and are told why a reply says what it says', async () => {
      const { text, data } = await desk.why('good-web-0')
      assert.match(text, /^Reply .*\nVersion {2}v0\n/)
      assert.equal((data as { turn: { id: string } }).turn.id, 'good-web-0')
    })

    it('and are told its errors as their own', async () => {
      await assert.rejects(desk.promote({ version: 'v9' }), { code: 'NOT_FOUND', message: /There is no version v9/ })
      assert.equal(await desk.cancel(), false)
    })

    it('which answers nobody without the key of this start, and nothing else', async () => {
      const ask = (headers: Record<string, string>) => fetch(`${url}desk/versions`, { method: 'POST', headers })
      assert.equal((await ask({})).status, 403)
      assert.equal((await ask({ authorization: 'Bearer guess' })).status, 403)
      assert.equal((await fetch(`${url}learning`)).status, 404)
    })

    it('but not the one that a killed server left a note of', async () => {
      writeFileSync(join(dir, 'lock.pid'), '1\n')
      assert.equal(await remoteDesk(dir), undefined)
    })
  })

  it('work from the command line, and the others say who has the folder', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hone-beside-'))
    const env = childEnvironment({ HONE_DATA: dir, HONE_PORT: '0', HONE_LOG: 'warn' })
    const start = (...args: string[]) =>
      spawn(process.execPath, [join(packageRoot, 'src', 'main.ts'), ...args], { cwd: dir, env })
    const server = start('serve')
    try {
      let told = ''
      server.stderr.on('data', (chunk) => {
        told += chunk
      })
      while (!told.includes('Ctrl-C')) await once(server.stderr, 'data')
      const ended = async (...args: string[]) => {
        const child = start(...args)
        const [stdout, stderr, [code]] = await Promise.all([
          Array.fromAsync(child.stdout, String),
          Array.fromAsync(child.stderr, String),
          once(child, 'close'),
        ])
        return { code, stdout: stdout.join(''), stderr: stderr.join('') }
      }
      const stats = await ended('feedback', 'stats', '--json')
      assert.deepEqual([stats.code, JSON.parse(stats.stdout).pairs], [0, 0])
      assert.match(stats.stderr, /Hone runs at http:\/\/127\.0\.0\.1:\d+\/ and does it there/)
      const unknown = await ended('why', 'nosuch')
      assert.deepEqual([unknown.code, /in use/.test(unknown.stderr)], [1, false], unknown.stderr)
      const typo = await ended('version')
      assert.equal(typo.code, 2)
      assert.match(typo.stderr, /There is no command "version"/)
      writeFileSync(join(dir, 'leave.md'), '# Leave\n\nYou get 25 days of vacation.\n')
      const read = await ended('ingest', 'leave.md')
      assert.deepEqual(
        [read.code, read.stdout],
        [0, '1 added, 0 changed, 0 unchanged, 0 removed; 1 passages embedded; 0 failed.\n'],
      )
      const found = await ended('search', 'vacation')
      assert.match(found.stdout, /25 days/)
      const answered = await ended('chat', '--once', 'How many days of vacation?')
      assert.deepEqual([answered.code, /25 days/.test(answered.stdout)], [0, true], answered.stderr)
      const refused = await ended('serve')
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, new RegExp(`in use by process ${server.pid}`))
    } finally {
      server.kill('SIGTERM')
      await once(server, 'close')
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
