import { type Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { HoneError } from '../../src/errors.ts'
import { newId } from '../../src/id.ts'
import { messageLimit, threadId } from './parse.ts'
import { type ChatView, chatPage, messages, type ThreadLine, threadList } from './render/chat.ts'
import type { Session } from './session.ts'
import { type Env, pageOf, type Site } from './site.ts'
import { sendChanges } from './sse.ts'

const threadsShown = 50
const titleLength = 80

/** Routes that show the chat: pages, the list of conversations, the stream of events. */
export function chatRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
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

/** A person's conversations, newest first. One whose first reply is still being made isn't in the store yet. */
async function threadsOf(site: Site, session: Session): Promise<readonly ThreadLine[]> {
  const own = threadId(session, '')
  const kept = await site.bot.store.turns.threads('web', session.person.id, threadsShown)
  const known = new Set(kept.map(({ thread }) => thread))
  const fresh = site.streams
    .openings(own)
    .filter((event) => event.kind === 'message')
    .filter(({ thread }) => !known.has(thread))
    .map(({ thread, text }) => ({ thread, title: text.replace(/\s+/g, ' ').trim().slice(0, titleLength) }))
  return [...fresh, ...kept.filter(({ thread }) => thread.startsWith(own))].map(({ thread, title }) => ({
    name: thread.slice(own.length),
    title,
  }))
}
