import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Inbound } from '../../src/ports/channel.ts'
import type { Tool } from '../../src/ports/tool.ts'
import { argumentsOf } from '../../src/tools/arguments.ts'
import { type McpServer, mcp } from '../../src/tools/mcp.ts'
import { orders } from '../fixtures/mcp-server.ts'

const use = () => ({ id: 'e1:tool:0', event: {} as Inbound, signal: new AbortController().signal })
const program = join(import.meta.dirname, '../fixtures/mcp-server.ts')

/** The same server, over HTTP, for whoever has the key. */
async function overHttp() {
  const server = createServer(async (request, response) => {
    if (request.headers['x-key'] !== 'k') return void response.writeHead(401).end()
    const transport = new StreamableHTTPServerTransport({})
    response.on('close', () => void transport.close())
    await orders().connect(transport as unknown as Parameters<ReturnType<typeof orders>['connect']>[0])
    await transport.handleRequest(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const end = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, end }
}

async function uses(server: McpServer): Promise<void> {
  await using found = await mcp(server)
  assert.deepEqual(
    found.tools.slice(0, 2).map(({ name, description }) => [name, description]),
    [
      ['order_status', 'Looks an order up'],
      ['cancel_order', 'cancel_order'],
    ],
  )
  const [status, cancel] = found.tools as [Tool, Tool]
  const fields = argumentsOf(status.schema).form['properties'] as Record<string, object>
  assert.deepEqual(fields['number'], { description: 'of the order', type: 'integer' })
  assert.equal(await status.call({ number: 7 }, use()), 'Order 7 is on its way. tool')
  await assert.rejects(cancel.call({ number: 7 }, use()), /It was sent already/)
  await assert.rejects(status.call({ number: 7 }, { ...use(), signal: AbortSignal.abort() }))
}

describe('the tools of an MCP server', function suite() {
  it('are used from a program', () => uses({ command: process.execPath, args: [program, '--stdio'] }))

  it('are used over HTTP', async () => {
    const { url, end } = await overHttp()
    try {
      await uses({ url, headers: { 'x-key': 'k' } })
      await assert.rejects(mcp({ url }), { code: 'NETWORK', message: /The MCP server http.* can't be used/ })
    } finally {
      end()
    }
  })

  it('say so when there is no such program', async () => {
    await assert.rejects(mcp({ command: 'no-such-program-here' }), { code: 'NETWORK', message: /ENOENT/ })
  })
})
