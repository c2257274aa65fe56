import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLimiter, tiers } from './limits.ts'
import { methods } from './methods.ts'
import { type SocketMode, socketMode } from './socket.ts'
import { team, type Workspace, workspace } from './workspace.ts'

type Json = Record<string, unknown>

export interface FakeSlackOptions {
  /** Milliseconds; scaled in tests where Slack's minutes must pass quickly. */
  readonly now?: () => number
  /** Answers a call instead of the method: an error code, or undefined to let it go on. */
  readonly refuse?: (method: string, args: Json) => string | undefined
  readonly scopes?: string
  /** Breaks the connection of a call: before Slack heard of it, or before it could answer. */
  readonly breaks?: (method: string) => 'unheard' | 'unanswered' | undefined
  /** What methods answer instead of the usual. */
  readonly answers?: Readonly<Record<string, Json>>
  /** No rate limits: for tests of something else that is faster than any workspace. */
  readonly unlimited?: boolean
}

/** A Slack of one workspace on loopback: Web API with its checks and limits, Socket Mode, response URLs. */
export interface FakeSlack extends AsyncDisposable {
  /** For `clientOptions.slackApiUrl`. */
  readonly url: string
  readonly space: Workspace
  readonly calls: readonly { readonly method: string; readonly args: Json; readonly answer: Json }[]
  /** How many calls were answered with 429. */
  readonly limited: readonly string[]
  /** What was sent to response URLs. */
  readonly responses: readonly Json[]
  readonly socket: SocketMode
  /** Resolves when the condition holds; it is looked at after every call. */
  until(condition: () => boolean): Promise<void>
}

/** Starts it. @example await using slack = await fakeSlack() */
export async function fakeSlack(options: FakeSlackOptions = {}): Promise<FakeSlack> {
  const now = options.now ?? (() => performance.now())
  const space = workspace()
  const limiter = createLimiter(now)
  const calls: { method: string; args: Json; answer: Json }[] = []
  const limited: string[] = []
  const responses: Json[] = []
  const watchers = new Set<() => void>()
  const changed = () => {
    for (const watch of [...watchers]) watch()
  }

  const answer = (method: string, args: Json): Json => {
    const known = methods[method]
    if (!known) return { ok: false, error: 'unknown_method' }
    const missing = known.required.find((name) => args[name] === undefined || args[name] === '')
    if (missing)
      return {
        ok: false,
        error: 'invalid_arguments',
        response_metadata: { messages: [`[ERROR] missing required field: ${missing}`] },
      }
    const refused = options.refuse?.(method, args)
    const told = options.answers?.[method]
    if (told && !refused) return { ok: true, ...told }
    const result = refused ?? known.run(args, space, now())
    return typeof result === 'string' ? { ok: false, error: result } : { ok: true, ...result }
  }

  const server = createServer(async (request, response) => {
    const body = await read(request)
    const path = new URL(request.url ?? '/', 'http://slack').pathname
    if (path.startsWith('/respond/')) {
      responses.push(JSON.parse(body))
      response.end('ok')
      return changed()
    }
    if (path.startsWith('/files/')) {
      const known = request.headers.authorization === 'Bearer xoxb-test'
      response.writeHead(200, { 'content-type': known ? 'text/markdown' : 'text/html' })
      return response.end(known ? '# Parking\n\nPark in the yard behind the house.\n' : 'Sign in')
    }
    const method = path.replace('/api/', '')
    if (method === 'apps.connections.open')
      return send(response, { ok: true, url: `ws://127.0.0.1:${port(server)}/socket` })
    const args = argsOf(request, body)
    const key = method === 'chat.postMessage' ? `${team} ${method} ${args['channel']}` : `${team} ${method}`
    const perMinute = method === 'chat.postMessage' ? 60 : tiers[methods[method]?.tier ?? 4]
    const seconds = options.unlimited ? 0 : limiter(key, perMinute)
    if (seconds > 0) {
      limited.push(method)
      response.writeHead(429, { 'retry-after': String(seconds) })
      response.end()
      return changed()
    }
    const broken = options.breaks?.(method)
    if (broken === 'unheard') return request.socket.destroy()
    const said = answer(method, args)
    calls.push({ method, args, answer: said })
    if (broken) {
      request.socket.destroy()
      return changed()
    }
    send(response, said, options.scopes)
    changed()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = socketMode(server, changed)
  return {
    url: `http://127.0.0.1:${port(server)}/api/`,
    space,
    calls,
    limited,
    responses,
    socket,
    until: (condition) =>
      new Promise((resolve) => {
        const watch = () => {
          if (!condition()) return
          watchers.delete(watch)
          resolve()
        }
        watchers.add(watch)
        watch()
      }),
    async [Symbol.asyncDispose]() {
      socket.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const port = (server: ReturnType<typeof createServer>) => (server.address() as AddressInfo).port

function send(response: ServerResponse, body: Json, scopes = 'chat:write'): void {
  response.writeHead(200, { 'content-type': 'application/json', 'x-oauth-scopes': scopes })
  response.end(JSON.stringify(body))
}

async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const part of request) body += part
  return body
}

/** The SDK sends forms whose complex values are JSON. */
function argsOf(request: IncomingMessage, body: string): Json {
  if (request.headers['content-type']?.includes('json')) return JSON.parse(body || '{}')
  return Object.fromEntries(
    [...new URLSearchParams(body)].map(([name, value]) => [name, /^[[{]/.test(value) ? tryJson(value) : value]),
  )
}

function tryJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
