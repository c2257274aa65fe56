import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pathToFileURL } from 'node:url'

const customers: Readonly<Record<string, unknown>> = {
  api: { company: 'Alder & Finch', contract: { plan: 'team', ends: '2027-03-31' } },
  web: { company: 'Alder & Finch', contract: { plan: 'team', ends: '2027-03-31' } },
  terminal: { company: 'Alder & Finch', contract: { plan: 'team', ends: '2027-03-31' } },
}

/**
 * The firm's back end as far as the profile needs it, for whoever has the key: `GET /customers/TENANT`, and
 * `POST /customers/TENANT/tickets`, which opens one ticket for each `idempotency-key`.
 */
export function supportBackend(key: string): Server {
  const tickets = new Map<string, object>()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (request.headers.authorization !== `Bearer ${key}`) return response.writeHead(401).end()
    const [, tenant, opens] = /^\/customers\/([^/]+)(\/tickets)?$/.exec(request.url ?? '') ?? []
    const customer = tenant && customers[decodeURIComponent(tenant)]
    if (!customer) return response.writeHead(404).end()
    const found = opens ? await ticketOf(request) : customer
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(found))
  }

  async function ticketOf(request: IncomingMessage): Promise<object> {
    const id = String(request.headers['idempotency-key'])
    let body = ''
    for await (const part of request) body += part
    const ticket = tickets.get(id) ?? { ticket: `T-${tickets.size + 1}`, ...JSON.parse(body) }
    tickets.set(id, ticket)
    return ticket
  }

  return createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(400).end())
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  supportBackend('demo').listen(
    9000,
    '127.0.0.1',
    () => void process.stderr.write('The back end is at http://127.0.0.1:9000\n'),
  )
}
