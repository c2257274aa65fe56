import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Http2Bindings, type HttpBindings, serve as listen } from '@hono/node-server'
import { web } from '../../adapters/web/index.ts'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import { openChannels, type Webhooks } from './channels.ts'
import { localDesk } from './desk.ts'
import { mayRead } from './metrics.ts'
import { starterNotice } from './model.ts'
import type { Output } from './output.ts'
import type { Parts } from './parts.ts'
import { openDesk } from './remote.ts'

const loopback = new Set(['127.0.0.1', 'localhost', '::1'])
const everywhere = new Set(['0.0.0.0', '::'])

/** The page, running. */
export interface Page extends AsyncDisposable {
  readonly url: string
  /** Signs the person at this machine in as admin. */
  readonly loginUrl: string
}

/**
 * Serves the page, `/healthz`, `/readyz`, `/metrics` and the channels' webhooks on one port.
 *
 * @throws HoneError PORT_TAKEN, or CONFIG when it would listen beyond this machine without a token.
 */
export async function servePage(bot: Bot, parts: Parts, log: Logger, channels?: Webhooks): Promise<Page> {
  const { config } = parts
  if (!loopback.has(config.host) && !config.adminToken) {
    throw new HoneError(
      'CONFIG',
      `HONE_HOST is ${config.host}, which others can reach, but HONE_ADMIN_TOKEN is not set.`,
    )
  }
  const adminToken = config.adminToken || ownToken(config.dataDir)
  await portIsFree(config)
  const profile = (await parts.profiles()).serving
  const page = web(bot, {
    adminToken,
    host: config.host,
    log,
    examples: profile.starters,
    ...(parts.model().starter ? { notice: starterNotice } : {}),
  })
  const desk = openDesk(localDesk(parts), config.dataDir)
  const fetch = async (request: Request, { incoming }: HttpBindings | Http2Bindings): Promise<Response> =>
    health(request, parts) ??
    (await metrics(request, parts, mayRead(request, incoming.socket.remoteAddress, adminToken))) ??
    (await desk.fetch(request)) ??
    (await channels?.fetch(request)) ??
    page.fetch(request)
  const { port, close } = await new Promise<{ port: number; close: () => Promise<void> }>((resolve) => {
    const server = listen({ fetch, port: config.port, hostname: config.host }, (address) =>
      resolve({
        port: address.port,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      }),
    )
  })
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}/`
  if (loopback.has(config.host)) await desk.announce(url)
  else if (everywhere.has(config.host)) await desk.announce(`http://127.0.0.1:${port}/`)
  return {
    url,
    loginUrl: `${url}login?token=${encodeURIComponent(adminToken)}`,
    async [Symbol.asyncDispose]() {
      await desk[Symbol.asyncDispose]()
      page.detach()
      await close()
    },
  }
}

function health(request: Request, { model }: Parts): Response | undefined {
  const { pathname } = new URL(request.url)
  if (pathname === '/healthz') return Response.json({ ok: true })
  if (pathname === '/readyz') return Response.json({ ok: true, starter: model().starter })
  return undefined
}

/** `/metrics`, for Prometheus. */
async function metrics(request: Request, parts: Parts, allowed: boolean): Promise<Response | undefined> {
  if (new URL(request.url).pathname !== '/metrics') return undefined
  if (!allowed) return new Response('Ask from this machine, or with the admin token as bearer token.', { status: 403 })
  return new Response(await parts.metrics.text(parts), { headers: { 'content-type': 'text/plain; version=0.0.4' } })
}

/** The admin token of this data folder, made once, readable by its owner only. */
function ownToken(dataDir: string): string {
  const file = join(dataDir, 'admin-token')
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

/** A taken port is told before anything is opened on it. */
function portIsFree({ port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new HoneError('PORT_TAKEN', `Port ${port} on ${host} is taken.`)
          : new HoneError('CONFIG', `Hone can't listen on ${host}:${port}: ${error.message}`),
      ),
    )
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}

/** Resolves when the process is told to end. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

/** `hone serve`: the page and every configured channel, until someone ends it. */
export async function serve(parts: Parts, output: Output, log: Logger): Promise<void> {
  const bot = await parts.bot()
  await using channels = await openChannels(bot, parts.config, log, parts)
  await using page = await servePage(bot, parts, log, channels)
  for (const name of channels.names) output.say(`Listening on ${name}.`)
  output.say(`Hone is at ${page.url}\nAdmin sign-in: ${page.loginUrl}\nCtrl-C ends it.`)
  await untilStopped()
  output.say('Ending: replies in progress are kept for the next start …')
}
