import type { Web } from '../../../adapters/web/index.ts'

/** A browser without a window: keeps cookies, knows the page's token, reads its events. */
export interface Visitor {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** The page as text. */
  page(path: string): Promise<string>
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** Events of a stream, as they come. */
  events(path: string, signal: AbortSignal): AsyncGenerator<ServerEvent>
  readonly cookies: ReadonlyMap<string, string>
}

export interface ServerEvent {
  readonly event: string
  readonly data: Record<string, string>
  readonly id: string
}

const origin = 'http://localhost:3978'

export function visitor(site: Web): Visitor {
  const cookies = new Map<string, string>()
  let csrf = ''
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    if (!headers.has('host')) headers.set('host', 'localhost:3978')
    const response = await site.fetch(new Request(new URL(path, origin), { ...init, headers }))
    for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie)
    return response
  }
  const get = (path: string, headers: Record<string, string> = {}) => send(path, { headers })
  const page = async (path: string) => {
    const text = await (await get(path)).text()
    csrf = /name="csrf" content="(\w+)"/.exec(text)?.[1] ?? csrf
    return text
  }
  return {
    cookies,
    get,
    page,
    async post(path, form, headers = {}) {
      if (csrf === '') await page('/')
      const body = new URLSearchParams({ csrf, ...form })
      return send(path, { method: 'POST', body, headers: { 'hx-request': 'true', ...headers } })
    },
    async *events(path, signal) {
      const response = await send(path, { signal })
      const reader = (response.body ?? new ReadableStream()).getReader()
      const decoder = new TextDecoder()
      signal.addEventListener('abort', () => void reader.cancel(), { once: true })
      let text = ''
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += decoder.decode(part.value, { stream: true })
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) if (block.includes('data:')) yield parse(block)
      }
    },
  }
}

function keep(cookies: Map<string, string>, cookie: string): void {
  const [pair = '', ...attributes] = cookie.split('; ')
  const at = pair.indexOf('=')
  if (attributes.includes('Max-Age=0')) cookies.delete(pair.slice(0, at))
  else cookies.set(pair.slice(0, at), pair.slice(at + 1))
}

function parse(block: string): ServerEvent {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
  return { event: field('event'), id: field('id'), data: JSON.parse(field('data')) }
}

/** The first event that fits; the stream is left open for more. */
export async function until(
  events: AsyncGenerator<ServerEvent>,
  fits: (event: ServerEvent) => boolean,
): Promise<ServerEvent> {
  for (let next = await events.next(); !next.done; next = await events.next()) if (fits(next.value)) return next.value
  throw new Error('The stream ended before the event that was waited for.')
}
