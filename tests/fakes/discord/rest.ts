import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Verdict } from './limits.ts'
import { type Request, type Response as RouteResponse, refusal } from './messages.ts'
import { type Route, routes } from './routes.ts'
import type { State } from './state.ts'

/** The REST API on loopback: token, limits, faults that a test asked for, then the route. */
export async function openRest(state: State) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => response.destroy(error))
  })

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://discord')
    const path = decodeURIComponent(url.pathname).replace(/^\/api\/v10/, '')
    const method = request.method ?? 'GET'
    const route = routes.find((one) => one.method === method && one.path.test(path))
    const { body, files } = await read(request)
    const verdict: Verdict = route ? state.limiter.check(route.bucket, majorOf(path)) : { headers: {} }
    if (!route) return reply(refusal(404, 0, '404: Not Found'))
    if (verdict.banned) return reply({ status: 403, body: { code: 1015, message: 'You are being rate limited.' } })
    if (verdict.retryAfter !== undefined) {
      const { retryAfter: retry_after, global = false } = verdict
      return reply({ status: 429, body: { message: 'You are being rate limited.', retry_after, global } })
    }
    const open = path.startsWith('/interactions/') || path.startsWith('/webhooks/')
    if (!open && request.headers.authorization !== `Bot ${state.token}`) {
      return reply(refusal(401, 0, '401: Unauthorized'))
    }
    reply(play({ params: route.path.exec(path)?.slice(1) ?? [], query: url.searchParams, body, files }, route, path))

    function reply(result: RouteResponse & { readonly headers?: Record<string, string> }) {
      const { status, body: said, headers = {} } = result
      // A 429 of the limiter is counted there.
      if (status === 401 || status === 403) state.limiter.countInvalid()
      state.calls.push({ method, path, body, status })
      const type = said === undefined ? {} : { 'content-type': 'application/json' }
      response.writeHead(status, { ...type, ...verdict.headers, ...headers })
      response.end(said === undefined ? undefined : JSON.stringify(said))
      state.changed()
    }
  }

  function play(request: Request, route: Route, path: string) {
    const at = state.faults.findIndex(
      ({ method, path: wanted }) => (method ?? route.method) === route.method && wanted.test(path),
    )
    const [fault] = at < 0 ? [] : state.faults.splice(at, 1)
    if (!fault || fault.afterwards) {
      const done = route.run(request, state)
      if (!fault) return done
    }
    const { status, body = { code: 0, message: 'fault' }, headers = {} } = fault
    return { status, body, headers }
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** What a bucket is counted by: a channel, a guild, or a webhook with its token. */
function majorOf(path: string): string {
  return /^\/webhooks\/\d+\/[^/]+|^\/(?:channels|guilds)\/\d+/.exec(path)?.[0] ?? path
}

async function read(request: IncomingMessage): Promise<Pick<Request, 'body' | 'files'>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const whole = Buffer.concat(chunks)
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/')) return { body: whole.length > 0 ? JSON.parse(whole.toString()) : {}, files: [] }
  const form = await new Response(whole, { headers: { 'content-type': type } }).formData()
  const sent = [...form.values()].filter((value) => typeof value !== 'string')
  const files = await Promise.all(
    sent.map(async (file) => ({ filename: file.name, bytes: Buffer.from(await file.arrayBuffer()) })),
  )
  return { body: JSON.parse(String(form.get('payload_json') ?? '{}')), files }
}
