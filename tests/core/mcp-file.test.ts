import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { doctor } from '../../src/cli/doctor.ts'
import { openParts } from '../../src/cli/parts.ts'
import { readConfig } from '../../src/config.ts'
import { silent } from '../../src/log.ts'
import type { Inbound } from '../../src/ports/channel.ts'
import type { Tool } from '../../src/ports/tool.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { openServer, openServers, parseServers } from '../../src/tools/mcp-file.ts'
import { openToolbox } from '../../src/tools/toolbox.ts'
import { writeTinyModel } from '../fixtures/gguf.ts'
import { slowOrders } from '../fixtures/mcp-server.ts'

const use = () => ({ id: 'e1:tool:0', event: {} as Inbound, signal: AbortSignal.timeout(20_000) })
const program = join(import.meta.dirname, '../fixtures/mcp-server.ts')

describe('a file of MCP servers', function suite() {
  this.timeout(60_000)
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hone-mcp-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const pids = () => join(dir, 'pids')
  const stdio = (...args: string[]) =>
    `{ command: ${process.execPath}, args: ['${[program, '--stdio', '--pids', pids(), ...args].join("', '")}'], env: [ORDERS_KEY] }`
  const env: Record<string, string> = { ORDERS_KEY: 'sesame', TOKEN: 't0ken', EMPTY: '' }
  const parse = (text: string) => parseServers(text, 'mcp.yaml', (name) => env[name] || undefined)
  const started = () => readFileSync(pids(), 'utf8').trim().split('\n').map(Number)
  const lives = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  const named = (tools: readonly Tool[], name: string) => tools.find((one) => one.name === name) ?? assert.fail(name)

  it('names programs and addresses, and takes secrets from the environment alone', () => {
    const text = [
      'servers:',
      '  files:',
      '    command: files',
      '    args: [--port, 80]',
      '    env: { KEY: ORDERS_KEY }',
      '  web:',
      '    url: https://mcp.test/x',
      '    bearer: TOKEN',
      '    headers: { x-key: ORDERS_KEY }',
      '    timeoutMs: 500',
    ].join('\n')
    assert.deepEqual(parse(text), [
      {
        name: 'files',
        at: 'mcp.yaml, line 2',
        server: { command: 'files', args: ['--port', '80'], env: { KEY: 'sesame' } },
      },
      {
        name: 'web',
        at: 'mcp.yaml, line 6',
        server: {
          url: 'https://mcp.test/x',
          headers: { 'x-key': 'sesame', authorization: 'Bearer t0ken' },
          timeoutMs: 500,
        },
      },
    ])
  })

  it('is refused with file and line for each mistake', () => {
    const refused = (one: string, message: RegExp) =>
      assert.throws(() => parse(`servers:\n  a:\n    ${one}`), { code: 'CONFIG', message })
    refused('commands: x', /^mcp\.yaml, line 3: the key "servers\.a\.commands" is not known/)
    refused('timeoutMs: 500', /^mcp\.yaml, line 2, key "servers\.a": give it a "command" or a "url"/)
    refused('{ command: x, url: "http://x" }', /give it a "command" or a "url"/)
    refused('{ url: "http://x", args: [y] }', /"args" and "env" are for a "command"/)
    refused('{ command: x, bearer: TOKEN }', /"bearer" and "headers" are for a "url"/)
    refused('url: "file:///etc/passwd"', /line 3, key "servers\.a\.url": it must be an http address/)
    refused(
      '{ command: x, env: [sk-12345] }',
      /line 3, key "servers\.a\.env\.0": it must be the name of an environment variable/,
    )
    refused('{ command: x, env: [NOBODY] }', /^mcp\.yaml, line 3: the environment variable NOBODY isn't set/)
    refused('{ url: "http://x", bearer: EMPTY }', /^mcp\.yaml, line 3: the environment variable EMPTY isn't set/)
    assert.throws(() => parse('servers: { a.b: { command: x } }'), /use letters, digits, _ and -/)
  })

  it('starts programs, gives them what it names, and ends them', async () => {
    const servers = parse(`servers:\n  orders: ${stdio()}\n  more: ${stdio()}`)
    {
      await using opened = await openServers(servers)
      assert.equal(await named(opened.tools, 'orders.key').call({}, use()), 'sesame')
      assert.match(String(await named(opened.tools, 'more.order_status').call({ number: 7 }, use())), /^Order 7/)
      assert.equal(started().filter(lives).length, 2)
    }
    assert.equal(started().filter(lives).length, 0)
  })

  it('starts a program again that has ended, and calls nothing twice', async () => {
    const [one] = parse(`servers:\n  orders: ${stdio()}`)
    await using opened = await openServer(one ?? assert.fail())
    await assert.rejects(named(opened.tools, 'orders.crash').call({}, use()), { code: 'UNSURE', message: /closed/i })
    assert.equal(started().length, 1)
    assert.equal(await named(opened.tools, 'orders.key').call({}, use()), 'sesame')
    assert.equal(started().length, 2)
  })

  it('says where a server stands that can’t be started, with what it said, and ends the others', async () => {
    const servers = parse(`servers:\n  orders: ${stdio()}\n  broken: ${stdio('--broken')}`)
    await assert.rejects(openServers(servers), {
      code: 'NETWORK',
      message: /^mcp\.yaml, line 3: The MCP server .* can't be used: .*It said: no licence found/,
    })
    assert.equal(started().filter(lives).length, 0)
  })

  it('gives up on one that doesn’t answer in its time', async () => {
    const sleep = `{ command: ${process.execPath}, args: [-e, 'setInterval(() => {}, 1000)'], timeoutMs: 100 }`
    await assert.rejects(openServers(parse(`servers:\n  slow: ${sleep}`)), { code: 'NETWORK', message: /timed out/i })
  })

  describe('with a server over HTTP', () => {
    let server: Server
    let sessions: string[]
    let shipping = Promise.resolve()
    /** With sessions: a server that is started anew knows none of those before. */
    const transports = new Map<string, StreamableHTTPServerTransport>()
    beforeEach(async () => {
      sessions = []
      transports.clear()
      server = createServer(async (request, response) => {
        if (request.headers.authorization !== 'Bearer t0ken') return void response.writeHead(401).end()
        const id = request.headers['mcp-session-id']
        const known = transports.get(String(id))
        if (id && !known) return void response.writeHead(404).end('no such session')
        const transport =
          known ??
          new StreamableHTTPServerTransport({
            sessionIdGenerator: () => `s${sessions.length}`,
            onsessioninitialized: (session) => {
              sessions.push(session)
              transports.set(session, transport)
            },
          })
        const served = slowOrders(() => shipping)
        if (!known) await served.connect(transport as unknown as Parameters<typeof served.connect>[0])
        await transport.handleRequest(request, response)
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
    })
    afterEach(() => {
      server.close()
      server.closeAllConnections()
    })
    const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

    it('reaches it with its token, and anew once it has forgotten the session', async () => {
      const [one] = parse(`servers:\n  orders: { url: "${address()}", bearer: TOKEN }`)
      await using opened = await openServer(one ?? assert.fail())
      const status = named(opened.tools, 'orders.order_status')
      assert.match(String(await status.call({ number: 7 }, use())), /^Order 7/)
      transports.clear()
      await assert.rejects(status.call({ number: 7 }, use()))
      assert.match(String(await status.call({ number: 8 }, use())), /^Order 8/)
      assert.deepEqual(sessions, ['s0', 's1'])
    })

    it('leaves the calls of others alone when one fails, and when the session is lost meanwhile', async () => {
      const [one] = parse(`servers:\n  orders: { url: "${address()}", bearer: TOKEN }`)
      await using opened = await openServer(one ?? assert.fail())
      const gate = Promise.withResolvers<void>()
      shipping = gate.promise
      const shipped = named(opened.tools, 'orders.ship').call({}, use())
      const status = named(opened.tools, 'orders.order_status')
      await assert.rejects(status.call({ number: 'seven' }, use()), /number/i)
      transports.clear()
      await assert.rejects(status.call({ number: 7 }, use()))
      gate.resolve()
      assert.equal(await shipped, 'Shipped.')
    })

    it('says so where the token is wrong', async () => {
      const [one] = parse(`servers:\n  orders: { url: "${address()}", bearer: ORDERS_KEY }`)
      await assert.rejects(openServer(one ?? assert.fail()), { code: 'NETWORK', message: /^mcp\.yaml, line 2: .*401/ })
    })
  })

  it('offers what a profile names, to whom it names it, and says what there is instead of what isn’t', async () => {
    await using opened = await openServers(parse(`servers:\n  orders: ${stdio()}`))
    const box = await openToolbox(opened.tools)
    const profile = (tool: string) =>
      parseProfile(`---\nname: a\ntools:\n  orders.order_status: { for: everybody }\n  ${tool}: {}\n---\n`, 'a.md')
    const offered = (admin: boolean) =>
      box.offers(profile('orders.cancel_order'), { admin } as Inbound).map(({ tool }) => tool.name)
    assert.deepEqual(
      [offered(false), offered(true)],
      [['orders.order_status'], ['orders.order_status', 'orders.cancel_order']],
    )
    const missing = {
      code: 'CONFIG',
      message: /"orders\.nope", which nobody supplies: the MCP server orders has orders\.order_status/,
    }
    assert.throws(() => box.check(profile('orders.nope')), missing)
    assert.throws(() => box.check(profile('nobody.x')), /name its MCP server in HONE_MCP/)
  })

  it('is started with the bot and ended with it', async () => {
    const settings = {
      HONE_DATA: join(dir, 'data'),
      HONE_MODEL: writeTinyModel(join(dir, 'model.gguf')),
      HONE_MCP: join(dir, 'mcp.yaml'),
      HONE_PROFILE: join(dir, 'desk.md'),
      ORDERS_KEY: 'sesame',
    }
    writeFileSync(
      settings.HONE_PROFILE,
      '---\nname: desk\ntools:\n  orders.order_status: { for: everybody, changes: false }\n---\n',
    )
    {
      await using parts = openParts(readConfig(settings), silent)
      await assert.rejects(parts.bot(), { code: 'CONFIG', message: /HONE_MCP: the file .* can't be read/ })
    }
    writeFileSync(settings.HONE_MCP, `servers:\n  orders: ${stdio()}\n`)
    {
      await using parts = openParts(readConfig(settings), silent)
      await parts.bot()
      assert.deepEqual(started().map(lives), [true])
    }
    assert.deepEqual(started().map(lives), [false])
  })

  it('is what doctor looks at, server by server', async () => {
    const file = join(dir, 'mcp.yaml')
    writeFileSync(file, `servers:\n  orders: ${stdio()}\n  broken: ${stdio('--broken')}\n`)
    const before = process.exitCode
    const found: { what: string; ok: boolean; detail: string }[] = []
    const output = {
      json: true,
      say: () => {},
      result: (_: string, data: unknown) => void found.push(...(data as { findings: typeof found }).findings),
    }
    await doctor(readConfig({ HONE_DATA: dir, HONE_MCP: file, ORDERS_KEY: 'sesame' }), output, silent)
    await doctor(readConfig({ HONE_DATA: dir, HONE_MCP: file }), output, silent)
    process.exitCode = before
    const [orders, broken, unset] = found.filter(({ what }) => what.startsWith('MCP'))
    assert.deepEqual(
      [orders?.what, orders?.ok, orders?.detail],
      ['MCP server orders', true, 'orders.order_status, orders.cancel_order, orders.key, orders.crash'],
    )
    assert.match(`${broken?.ok} ${broken?.detail}`, /^false .*line 3.*no licence found/)
    assert.match(`${unset?.ok} ${unset?.detail}`, /^false .*line 2: the environment variable ORDERS_KEY isn't set/)
    assert.equal(started().filter(lives).length, 0)
  })
})
