import { type Context, Hono } from 'hono'
import { HoneError } from '../../src/errors.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import { parseForm, retryEvent } from './parse.ts'
import { liveReply, reply } from './render/reply.ts'
import { whyPanel } from './render/why.ts'
import type { Session } from './session.ts'
import { type Env, fragment, ownTurn, pageOf, type Site } from './site.ts'
import type { ReplyView } from './view.ts'

/** Routes of one reply: itself, why it is as it is, another try. */
export function turnRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const own = (c: Context<Env>) => ownTurn(site, c.get('session'), c.req.param('turn') ?? '')

  app.get('/turns/:turn', async (c) => {
    const session = c.get('session')
    return c.html(reply(pageOf(site, session), await replyView(site, session, await own(c))))
  })
  app.get('/turns/:turn/why', async (c) => {
    const turn = await own(c)
    return c.html(whyPanel(pageOf(site, c.get('session')), await site.bot.why(turn.id)))
  })
  app.post('/turns/:turn/retry', async (c) => {
    const session = c.get('session')
    const turn = await own(c)
    const event = retryEvent(session, turn.thread, turn.id, parseForm('retry', c.get('form')), new Date())
    await site.bot.receive(event)
    const live = site.streams.lives(turn.thread).find((one) => one.event.id === event.id) ?? site.streams.open(event)
    return fragment(c, liveReply(pageOf(site, session), live), { status: 202, back: site.url(`/t/${turn.name}`) })
  })
  return app
}

/** @throws HoneError NOT_FOUND when the reply went away meanwhile */
export async function replyView(site: Site, session: Session, turn: BotTurn): Promise<ReplyView> {
  const found = await site.views.reply(turn.id, session.person.id)
  if (!found) throw new HoneError('NOT_FOUND', 'This reply is no longer there.')
  return found
}
