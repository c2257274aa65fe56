import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}
export interface Asked {
  readonly method: string
  readonly path: string
  readonly body: Record<string, unknown>
  readonly authorization: string
}
export type Route = (asked: Asked) => Answer | Promise<Answer>

export interface Server extends AsyncDisposable {
  readonly url: string
}

/** Reads a body that is a form. */
export const formOf = (text: string): Record<string, unknown> => Object.fromEntries(new URLSearchParams(text))

/** A little HTTP server on loopback; `answer` gets every request. */
export async function serve(
  answer: (asked: Asked) => Answer | Promise<Answer>,
  read: (text: string) => Record<string, unknown> = JSON.parse,
): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { status, body, headers } = await answer(await asked(request, read))
    end(response, status, body, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function asked(request: IncomingMessage, read: (text: string) => Record<string, unknown>): Promise<Asked> {
  let text = ''
  for await (const chunk of request) text += chunk
  const { method = '', url = '', headers } = request
  return { method, path: url, body: text ? read(text) : {}, authorization: headers.authorization ?? '' }
}

function end(response: ServerResponse, status: number, body: unknown, headers: Answer['headers'] = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
