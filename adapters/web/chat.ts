import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { streamSSE } from 'hono/streaming'
import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import { eventOf, messageEvent, messageLimit, parseForm, threadId } from './parse.ts'
import { type ChatView, chatPage, messages, threadList } from './render/chat.ts'
import { exchange } from './render/reply.ts'
import type { Session } from './session.ts'
import { type Env, fragment, pageOf, type Site } from './site.ts'
import { sendChanges } from './sse.ts'

const threadsShown = 50

/** Routes of the chat: pages, sending, stopping, the stream of events. */
export function chatRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const back = (name: string) => site.url(`/t/${name}`)
  const show = async (c: Context<Env>, name: string) => {
    const session = c.get('session')
    return c.html(chatPage(pageOf(site, session), await chatView(site, session, name)))
  }

  app.get('/', (c) => show(c, newId('t')))
  app.get('/t/:name', (c) => show(c, c.req.param('name')))
  app.get('/t/:name/messages', async (c) => {
    const session = c.get('session')
    return c.html(messages(pageOf(site, session), await chatView(site, session, c.req.param('name'))))
  })
  app.get('/threads', async (c) => {
    const session = c.get('session')
    return c.html(threadList(pageOf(site, session), await threadsOf(site, session), c.req.query('current') ?? ''))
  })

  app.post('/t/:name/messages', async (c) => {
    const session = c.get('session')
    const name = c.req.param('name')
    const event = messageEvent(session, threadId(session, name), parseForm('message', c.get('form')), new Date())
    const taken = await site.bot.receive(event)
    // A page that sent twice already shows the message, or will read it from the store.
    if (taken === 'duplicate') {
      c.header('HX-Reswap', 'none')
      c.header('HX-Trigger', 'hone:refresh')
      return fragment(c, html``, { status: 202, back: back(name) })
    }
    const live = site.streams.lives(event.thread).find((one) => one.event.id === event.id) ?? site.streams.open(event)
    const view = (await site.views.exchange(event)) ?? {
      key: '',
      text: event.text,
      slot: { kind: 'live' as const, live },
    }
    return fragment(c, exchange(pageOf(site, session), view), { status: 202, back: back(name) })
  })

  app.post('/t/:name/stop', (c) => {
    site.bot.stop(eventOf(c.get('session'), parseForm('stop', c.get('form')).event))
    return c.req.header('hx-request') ? c.body(null, 204) : c.redirect(back(c.req.param('name')), 303)
  })

  app.get('/t/:name/events', (c) => {
    const session = c.get('session')
    const thread = threadId(session, c.req.param('name'))
    const after = c.req.header('last-event-id') ?? c.req.query('after') ?? ''
    return streamSSE(c, (stream) => sendChanges({ site, page: pageOf(site, session), thread, after, stream }))
  })
  return app
}

async function chatView(site: Site, session: Session, name: string): Promise<ChatView> {
  if (!/^[\w-]{1,64}$/.test(name)) throw new HoneError('NOT_FOUND', 'There is no such conversation.')
  // The cursor is taken first: what changes while the page is made is sent again rather than missed.
  const cursor = site.streams.cursor()
  const exchanges = await site.views.thread(threadId(session, name))
  const threads = await threadsOf(site, session)
  return { name, exchanges, threads, cursor, examples: site.examples, limit: messageLimit }
}

async function threadsOf(site: Site, session: Session) {
  const own = threadId(session, '')
  const threads = await site.bot.store.turns.threads('web', session.person.id, threadsShown)
  return threads
    .filter(({ thread }) => thread.startsWith(own))
    .map(({ thread, title }) => ({ name: thread.slice(own.length), title }))
}
