import { Hono } from 'hono'
import type { Logger } from '../../src/log.ts'
import { silent } from '../../src/log.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { Channel, Person } from '../../src/ports/channel.ts'
import { accountRoutes } from './account.ts'
import { chatRoutes } from './chat.ts'
import { type Family, family } from './family.ts'
import { files } from './files.ts'
import { explain, fromOurPage, headers, known, limited, ownHost } from './guard.ts'
import { judgeRoutes } from './judge.ts'
import { learningRoutes } from './learning.ts'
import { messagePage } from './render/layout.ts'
import { replayRoutes } from './replay.ts'
import { sendRoutes } from './send.ts'
import { sessions } from './session.ts'
import { type Env, pageOf, type Site } from './site.ts'
import { type Streams, streams } from './stream.ts'
import { turnRoutes } from './turns.ts'
import { views } from './view.ts'

export interface WebOptions {
  /** What an admin signs in with. Empty: nobody can. */
  readonly adminToken: string
  /** The address the server listens on; on loopback, only this machine's own names are answered. */
  readonly host: string
  /** Where the pages are mounted, e.g. `/hone/`. */
  readonly base?: string
  readonly log?: Logger
  /** Markdown that stands above every page. */
  readonly notice?: string
  readonly title?: string
  /** Questions offered in an empty conversation. */
  readonly examples?: readonly string[]
  /** Signs cookies. Absent: derived from the admin token, so changing that makes everyone a new person. */
  readonly secret?: string
  /** For a host that knows its people. Absent: every browser is a person of its own. */
  readonly person?: (request: Request) => Person | undefined | Promise<Person | undefined>
  readonly now?: () => number
}

export interface Web {
  /** Answers one request; mount it in any server that speaks fetch. */
  fetch(request: Request): Promise<Response>
  /** Stops deliveries and ends every open stream. */
  detach(): void
}

/**
 * The web page: chat, and what the bot has learned.
 *
 * @example
 * const page = web(bot, { adminToken, host: '127.0.0.1' })
 * serve({ fetch: page.fetch, port: 3978 })
 */
export function web(bot: Bot, options: WebOptions): Web {
  const base = `/${(options.base ?? '').replace(/^\/+|\/+$/g, '')}`.replace(/\/$/, '')
  const detached = new AbortController()
  const buffers = streams()
  const kin = family(bot.store)
  const site: Site = {
    bot,
    title: options.title ?? 'Hone',
    notice: options.notice ?? '',
    examples: options.examples ?? [],
    log: options.log ?? silent,
    files: files(),
    sessions: sessions({ ...options, path: base || '/', now: options.now ?? Date.now }),
    streams: buffers,
    views: views(bot.store, kin, buffers),
    family: kin,
    signal: detached.signal,
    url: (path) => `${base}${path}`,
  }
  const detachChannel = bot.attach(channel(buffers, kin, site.log))
  const app = routes(site, options.host, base)
  return {
    fetch: async (request) => app.fetch(request),
    detach() {
      detachChannel()
      detached.abort()
      buffers.close()
    },
  }
}

function routes(site: Site, host: string, base: string): Hono<Env> {
  const app = new Hono<Env>().basePath(base || '/')
  app.use(headers, ownHost(host))
  app.get('/assets/:hash/:name', (c) => {
    const file = site.files.find(c.req.param('hash'), c.req.param('name'))
    if (!file) return c.text('There is no such file.', 404)
    return c.body(file.bytes, 200, {
      'Content-Type': file.type,
      'Cache-Control': 'public, max-age=31536000, immutable',
    })
  })
  app.use(limited, known(site.sessions), fromOurPage)
  app.use(async (c, next) => {
    await next()
    if (!c.res.headers.has('cache-control')) c.header('Cache-Control', 'no-store')
  })
  for (const part of [chatRoutes, sendRoutes, turnRoutes, judgeRoutes, accountRoutes, learningRoutes, replayRoutes])
    app.route('/', part(site))
  app.notFound((c) => c.text('There is no such page.', 404))
  app.onError(async (error, c) => {
    const { status, text, help } = explain(error, c, site.log)
    const session = c.get('session')
    if (c.req.header('hx-request') || !session) return c.text(`${text} ${status === 422 ? '' : help}`.trim(), status)
    return c.html(messagePage(pageOf(site, session), { name: 'That did not work', text, help }), status)
  })
  return app
}

/** The channel that lets replies flow into the pages' buffers. */
function channel(streams: Streams, family: Family, log: Logger): Channel {
  return {
    name: 'web',
    duels: true,
    async deliver(event, events) {
      const place = await family.place(event)
      const live = streams.open(event)
      try {
        for await (const one of events) streams.push(live, one)
      } catch (error) {
        log.warn('web.reply.broken', { event: event.id, error })
        streams.push(live, {
          kind: 'error',
          code: 'ENGINE_FAILED',
          message: 'The reply broke off. Send your message again.',
        })
      }
      return [{ thread: event.thread, id: place }]
    },
    async notice(thread, text) {
      streams.notice(thread, text)
    },
    async tell(_person, text, [newest]) {
      // A thread has one owner.
      if (newest) streams.notice(newest, text)
      return newest !== undefined
    },
  }
}
