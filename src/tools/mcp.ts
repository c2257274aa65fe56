import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { asHoneError, HoneError } from '../errors.ts'
import type { JsonSchema } from '../ports/engine.ts'
import type { Tool } from '../ports/tool.ts'

/** A server that is started as a program, or one that is reached over HTTP. */
export type McpServer = (
  | { readonly command: string; readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> }
  | { readonly url: string; readonly headers?: Readonly<Record<string, string>> }
) & {
  /** How long it may take to start, and to say what it has (30000). */
  readonly timeoutMs?: number
}

/** The tools of one server. Disposing them ends the connection, and the program if it is one. */
export interface McpTools extends AsyncDisposable {
  readonly tools: readonly Tool[]
}

const mostPages = 20
/** Longer than any tool may take: the profile decides when it is late. */
const longestCallMs = 150_000

/**
 * The tools of a server that speaks the Model Context Protocol, through its official client library
 * (`@modelcontextprotocol/sdk`, an optional peer). What a server says of itself grants nothing: the profile says which of
 * its tools are used, and which of them change something. A program that has ended is started again, and a connection
 * that broke is made anew, by the next use of a tool; the use that met with it fails, and nothing is called twice.
 *
 * @throws HoneError ENGINE_MISSING without the library, NETWORK when the server can't be started or reached
 * @example
 * await using files = await mcp({ command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/help'] })
 * const bot = await hone({ tools: files.tools })
 */
export async function mcp(server: McpServer): Promise<McpTools> {
  let over = false
  let open: Connection | undefined
  const all = new Set<Connection>()

  function connection(): Connection {
    if (over) throw new HoneError('NETWORK', 'The connection to the MCP server was closed.')
    if (open) return open
    const made: Connection = { client: connect(server, () => forget(made)), calls: new Set() }
    made.client.catch(() => forget(made))
    all.add(made)
    open = made
    return made
  }

  function forget(one: Connection): void {
    if (open === one) open = undefined
  }

  /** Ends a connection once the calls on it are done: others may still get their answers there. */
  async function leave(one: Connection): Promise<void> {
    forget(one)
    await Promise.allSettled(one.calls)
    await end(one)
  }

  async function end(one: Connection): Promise<void> {
    all.delete(one)
    await one.client.then((client) => client.close()).catch(() => undefined)
  }

  async function use(name: string, how: Parameters<Tool['call']>): Promise<unknown> {
    const on = connection()
    const answer = call(await on.client, name, how)
    on.calls.add(answer)
    try {
      return textOf(await answer)
    } catch (error) {
      // A server that has lost the session says so at each request until there is a new one.
      if (hasLostSession(error)) void leave(on)
      throw isCutOff(error) ? new HoneError('UNSURE', error.message, { cause: error }) : error
    } finally {
      on.calls.delete(answer)
    }
  }

  async function close(): Promise<void> {
    over = true
    await Promise.all([...all].map(end))
  }

  try {
    const listed = await listTools(await connection().client, timeoutOf(server))
    const tools = listed.map(({ name, description = name, inputSchema }): Tool => {
      return { name, description, schema: inputSchema as JsonSchema, call: (...how) => use(name, how) }
    })
    return { tools, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close().catch(() => undefined)
    throw asHoneError(error, 'NETWORK', `The MCP server ${'url' in server ? server.url : server.command} can't be used`)
  }
}

/** A client, and the calls that wait for its answers. */
interface Connection {
  readonly client: Promise<Client>
  readonly calls: Set<Promise<unknown>>
}

/** 404 by the specification; 400 from servers that were started anew, for a session that they don't know. */
function hasLostSession(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 404 || error.code === 400)
}

/** The connection ended before the answer came: whether the call was carried out is not known. */
function isCutOff(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === connectionClosed
}

/** JSON-RPC code of the library for calls that were open when the connection ended. */
const connectionClosed = -32000

function timeoutOf({ timeoutMs = 30_000 }: McpServer): { readonly timeout: number } {
  return { timeout: timeoutMs }
}

/** Starts a program or reaches a server; `gone` is called when it has ended. */
async function connect(server: McpServer, gone: () => void): Promise<Client> {
  // Imported here: only hosts with such servers have the library.
  const [{ Client }, stdio, http] = await Promise.all([
    import('@modelcontextprotocol/sdk/client/index.js'),
    import('@modelcontextprotocol/sdk/client/stdio.js'),
    import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  ]).catch((error: unknown) => {
    throw new HoneError('ENGINE_MISSING', 'MCP servers need the package @modelcontextprotocol/sdk.', { cause: error })
  })
  const client = new Client({ name: 'hone', version: '1' })
  client.onclose = gone
  if ('url' in server) {
    const requestInit = { headers: { ...server.headers } }
    const transport = new http.StreamableHTTPClientTransport(new URL(server.url), { requestInit })
    // Their class and their own interface disagree about optional members.
    await connected(client, transport as unknown as Transport, timeoutOf(server)).catch((error: unknown) => {
      throw error instanceof http.StreamableHTTPError ? new Error(`HTTP ${error.code}: ${error.message}`) : error
    })
    return client
  }
  const { command, args = [], env } = server
  const program = new stdio.StdioClientTransport({
    ...{ command, args: [...args], stderr: 'pipe' },
    ...(env ? { env: { ...stdio.getDefaultEnvironment(), ...env } } : {}),
  })
  let last = ''
  program.stderr?.on('data', (chunk: Buffer) => {
    last = `${last}${chunk}`.slice(-500)
  })
  await connected(client, program, timeoutOf(server)).catch((error: unknown) => {
    const said = last.trim().split('\n').at(-1)
    throw said ? new Error(`${error instanceof Error ? error.message : String(error)}. It said: ${said}`) : error
  })
  return client
}

type Transport = Parameters<Client['connect']>[0]

async function connected(client: Client, transport: Transport, options: { readonly timeout: number }): Promise<void> {
  await client.connect(transport, options).catch(async (error: unknown) => {
    await client.close().catch(() => undefined)
    throw error
  })
}

async function listTools(client: Client, options: { readonly timeout: number }) {
  const tools: Awaited<ReturnType<Client['listTools']>>['tools'] = []
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const listed = await client.listTools(cursor === undefined ? {} : { cursor }, options)
    tools.push(...listed.tools)
    cursor = listed.nextCursor
    if (cursor === undefined) break
  }
  return tools
}

type Answer = Awaited<ReturnType<Client['callTool']>>

function call(client: Client, name: string, [given, { id, signal }]: Parameters<Tool['call']>): Promise<Answer> {
  const asked = { name, arguments: { ...given }, _meta: { callId: id } }
  return client.callTool(asked, undefined, { signal, timeout: longestCallMs })
}

/** What a server answers that isn't text (pictures, sound) is left out. */
function textOf({ content, structuredContent, isError }: Answer): unknown {
  const parts = Array.isArray(content) ? (content as readonly { readonly type: string; readonly text?: string }[]) : []
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text ?? ''] : [])).join('\n')
  if (isError) throw new Error(text || 'the server gave no reason')
  return text || structuredContent
}
