import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pathToFileURL } from 'node:url'

/** Orders by who placed them; nobody is told of another's. */
const orders: Readonly<
  Record<string, Readonly<Record<number, { readonly status: string; readonly arrives?: string }>>>
> = {
  'web:anna': { 1001: { status: 'sent', arrives: '2026-05-12' } },
  'web:nils': { 1002: { status: 'packed' } },
  'terminal:you': { 1003: { status: 'delivered' } },
}
const sunday = 0

/**
 * The shop's back end as far as the profile needs it, for whoever has the key: `GET /hours/DATE`,
 * `POST /people/PERSON/orders`, which tells of one of that person's own orders, and `POST /people/PERSON/refunds`, which
 * gives money back once for each `idempotency-key`.
 */
export function shopBackend(key: string): Server {
  const refunds = new Map<string, object>()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (request.headers.authorization !== `Bearer ${key}`) return response.writeHead(401).end()
    const [, kind, id = '', what] = /^\/(hours|people)\/([^/]+)(?:\/(orders|refunds))?$/.exec(request.url ?? '') ?? []
    const found = kind === 'hours' ? hoursOf(id) : await orderOf(decodeURIComponent(id), what, request)
    if (!found) return response.writeHead(404).end()
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(found))
  }

  async function orderOf(person: string, what: string | undefined, request: IncomingMessage) {
    let body = ''
    for await (const part of request) body += part
    const { number } = JSON.parse(body || '{}') as { readonly number?: number }
    const own = Object.hasOwn(orders, person) ? orders[person] : undefined
    const order = own && number !== undefined && Object.hasOwn(own, number) ? own[number] : undefined
    if (what === 'orders') return order && { number, ...order }
    if (what !== 'refunds') return undefined
    const key = String(request.headers['idempotency-key'])
    const refund = refunds.get(key) ?? { refund: `R-${refunds.size + 1}`, number }
    refunds.set(key, refund)
    return refund
  }

  return createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(400).end())
  })
}

function hoursOf(date: string): object | undefined {
  const day = new Date(`${date}T00:00:00Z`).getUTCDay()
  if (Number.isNaN(day)) return undefined
  return { open: day === sunday ? 'not at all, it is Sunday' : 'from 9 to 18' }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  shopBackend('demo').listen(
    9000,
    '127.0.0.1',
    () => void process.stderr.write('The back end is at http://127.0.0.1:9000\n'),
  )
}
