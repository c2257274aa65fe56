import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { supportBackend } from '../../examples/support/backend.ts'
import { createBot } from '../../src/bot.ts'
import { packageRoot, starterDir } from '../../src/cli/model.ts'
import { childEnvironment } from '../../src/config.ts'
import { echo } from '../../src/engines/echo.ts'
import { llama } from '../../src/engines/llama/index.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { JsonSchema, LoadEngine, Version } from '../../src/ports/engine.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import { httpBackend } from '../../src/prompt/backend.ts'
import { formOf } from '../../src/prompt/output.ts'
import { type Profile, readProfile } from '../../src/prompt/profile.ts'
import { fits } from '../../src/prompt/schema.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'

const folder = join(packageRoot, 'examples', 'support')
const usage = { prompt: 1, evaluated: 1, completion: 1 }
const starter = join(starterDir, 'starter.gguf')
const v0: Version = { id: 'v0', base: starter }

/** Fills in the trial form and the profile's output variables, and chooses these tools one after the other. */
function filledIn(...tools: readonly string[]) {
  const left = [...tools]
  return ({ properties = {} }: JsonSchema): unknown => {
    const known: Readonly<Record<string, () => unknown>> = {
      word: () => ({ word: 'larch' }),
      escalate: () => ({ escalate: true, topic: 'backups' }),
      tool: () => ({ tool: left.shift() ?? 'none' }),
      title: () => ({ title: 'The backup of Monday is empty', urgent: true }),
    }
    return known[Object.keys(properties as object)[0] ?? '']?.()
  }
}

/** The same with more time for its back end: a machine that is busy with other tests is slow. */
function patient(profile: Profile): Profile {
  const slower = Object.entries(profile.variables).map(([name, one]) => [name, { ...one, timeoutMs: 30_000 }])
  return { ...profile, variables: Object.fromEntries(slower) }
}

describe('the sample support profile', () => {
  let server: Server
  let asked: string[]
  let stack: AsyncDisposableStack
  /** Holds on to the prompt, as a cache does, and fills in forms by a script. */
  const scripted = (fill: (schema: JsonSchema) => unknown) => async (version: Version) => ({
    ...echo({ version }),
    fill: async (_: unknown, schema: JsonSchema) => ({ value: fill(schema), usage }),
  })
  const start = async (key: string, load: LoadEngine = scripted(filledIn())): Promise<Bot> => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const store = stack.use(await sqlite(':memory:'))
    const slot = stack.use(await createSlot({ load, first: v0, log: silent }))
    const profile = patient(await readProfile(join(folder, 'support.md')))
    return stack.use(await createBot({ store, slot, profile, backend: httpBackend({ url, key }), log: silent }))
  }
  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    asked = []
    server = supportBackend('k').listen(0, '127.0.0.1')
    server.on('request', (request) => asked.push(request.url ?? ''))
    await once(server, 'listening')
  })
  afterEach(async () => {
    await stack.disposeAsync()
    server.close()
    server.closeAllConnections()
  })
  const ask = async (bot: Bot, text: string, tenant = 'api'): Promise<string> => {
    for await (const event of bot.ask(text, { thread: `api:${tenant}`, tenant }))
      if (event.kind === 'error') return event.message
    const turn = (await bot.store.turns.history(`api:${tenant}`, 9)).at(-1) as BotTurn
    const prompt = await bot.store.turns.prompt(turn.prompt)
    return prompt.map(({ role, content }) => `${role}: ${content}`).join('\n')
  }

  it('knows the customer from a real back end, asks it once, and tells a thread once', async () => {
    const bot = await start('k')
    await ask(bot, 'Hello')
    const told = await ask(bot, 'And again')
    assert.match(told, /^system: You are Tern/)
    assert.match(told, /You help <customer\.company>, whose plan is team\. Their contract ends on 2027-03-31\./)
    assert.equal(told.split('<facts>\ncustomer.company: Alder & Finch\n</facts>').length, 2)
    assert.match(told, /user: And again$/)
    assert.deepEqual(asked, ['/customers/api'])
  })

  it('answers nobody whose contract can’t be seen, and says so', async () => {
    const bot = await start('k')
    assert.match(await ask(bot, 'Hello', 'stranger/../api'), /can't be looked up right now \(customer\.ends\)/)
    assert.deepEqual(asked, ['/customers/stranger%2F..%2Fapi'])
    assert.match(await ask(await start('wrong key'), 'Hello'), /can't be looked up right now/)
  })

  it('opens one ticket at the back end after a yes, and tells the host that a person must take over', async () => {
    const posted: unknown[] = []
    server.on('request', (request) => request.method === 'POST' && posted.push(request.headers['idempotency-key']))
    const bot = await start('k', scripted(filledIn('open_ticket')))
    const told: unknown[] = []
    bot.on('variables', (values, { tenant, person }) => told.push([values, tenant, person.id]))
    await ask(bot, 'The backup of Monday is empty!')
    const turn = async () => (await bot.store.turns.history('api:api', 9)).at(-1) as BotTurn
    assert.match(
      (await turn()).text,
      /^May I use \*\*open_ticket\*\*\?\n- title: The backup of Monday is empty\n- urgent: true/,
    )
    assert.deepEqual([posted.length, told.length], [0, 0])
    const prompt = await ask(bot, 'yes')
    assert.match(
      prompt,
      /user: yes\n\n<results>\nopen_ticket: \{"ticket":"T-1","title":"The backup of Monday is empty"/,
    )
    const { tools, output } = await turn()
    assert.deepEqual([posted.length, tools?.map(({ name, state }) => [name, state])], [1, [['open_ticket', 'done']]])
    assert.deepEqual(output, { values: { escalate: true, topic: 'backups' } })
    assert.deepEqual(told, [[{ escalate: true, topic: 'backups' }, 'api', 'api:someone']])
  })

  it('holds the starter model to its tools and variables, whatever it makes of them', async function real() {
    const host = stack.use(llama({ modelPath: starter, log: silent, gpu: false }))
    const bot = await start('k', host.load)
    const form = formOf((await readProfile(join(folder, 'support.md'))).output)
    for (const text of ['How long are backups kept?', 'no', 'Open a ticket: nobody can work!']) {
      await ask(bot, text)
      const turn = (await bot.store.turns.history('api:api', 20)).at(-1) as BotTurn
      const waits = turn.tools?.at(-1)?.state === 'waiting'
      assert.ok(
        waits ? turn.text.startsWith('May I use') : turn.output && 'values' in turn.output,
        JSON.stringify(turn),
      )
      if (turn.output && 'values' in turn.output) assert.ok(fits(form, turn.output.values))
    }
  })

  describe('passes its cases on the starter model', function suite() {
    let dir: string
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'hone-cases-test-'))
    })
    afterEach(() => rmSync(dir, { recursive: true, force: true }))
    const test = (...args: string[]) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        const command = [join(packageRoot, 'src', 'main.ts'), 'profile', 'test', ...args]
        const options = { cwd: dir, env: childEnvironment({ HONE_DATA: join(dir, 'data') }) }
        execFile(process.execPath, command, options, (error, stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
        )
      })

    it('from the command line, with exit code 0', async () => {
      const { code, stdout, stderr } = await test(join(folder, 'cases.yaml'), '--json')
      assert.equal(code, 0, stderr)
      assert.deepEqual([JSON.parse(stdout).passed, JSON.parse(stdout).failed], [3, 0])
    })

    it('or says which don’t, with exit code 1, and 2 for cases that are wrong', async () => {
      const file = join(dir, 'cases.yaml')
      const write = (variables: string) =>
        writeFileSync(
          file,
          `documents: [${join(folder, 'help')}]\ncases:\n  - { input: How long are backups kept?, variables: ${variables}, expect: { contains: 31 days } }\n`,
        )
      write('{ customer.ends: 2027-03-31 }')
      const failed = await test(file, '--profile', join(folder, 'support.md'))
      assert.equal(failed.code, 1, failed.stderr)
      assert.match(failed.stderr, /✖ How long are backups kept\?\n +doesn't contain "31 days"\n +reply: .*30 days/)
      write('{ customer.ends: tomorrow }')
      const unfit = await test(file, '--profile', join(folder, 'support.md'))
      assert.deepEqual([unfit.code, /sets "customer\.ends": It is no date/.test(unfit.stderr)], [2, true])
      writeFileSync(file, 'cases:\n  - input: Hi\n    expects: {}\n')
      const wrong = await test(file)
      assert.deepEqual(
        [wrong.code, /line 3: the key "cases\.0\.expects" is not known|line 2, key/.test(wrong.stderr)],
        [2, true],
      )
    })
  })
})
