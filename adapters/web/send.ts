import { Hono } from 'hono'
import { html } from 'hono/html'
import { eventOf, messageEvent, parseForm, threadId } from './parse.ts'
import { exchange } from './render/reply.ts'
import { type Env, fragment, pageOf, type Site } from './site.ts'

/** Routes that say something to the bot: send a message, stop the reply. */
export function sendRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const back = (name: string) => site.url(`/t/${name}`)

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
    // A new conversation stands in the list at once.
    c.header('HX-Trigger', 'threads')
    return fragment(c, exchange(pageOf(site, session), view), { status: 202, back: back(name) })
  })

  app.post('/t/:name/stop', (c) => {
    site.bot.stop(eventOf(c.get('session'), parseForm('stop', c.get('form')).event))
    return c.req.header('hx-request') ? c.body(null, 204) : c.redirect(back(c.req.param('name')), 303)
  })

  return app
}
