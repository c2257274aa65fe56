import { type Context, Hono } from 'hono'
import { HoneError } from '../../src/errors.ts'
import type { FeedbackEvent } from '../../src/ports/bot.ts'
import type { BotTurn } from '../../src/ports/store.ts'
import { parseForm, retryEvent } from './parse.ts'
import { bar, liveReply, reply, slot } from './render/reply.ts'
import { whyPanel } from './render/why.ts'
import { type Env, fragment, ownTurn, pageOf, type Site } from './site.ts'

/** Routes of one reply: its thumbs, a better answer, another try, why, and duels. */
export function turnRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const own = (c: Context<Env>) => ownTurn(site, c.get('session'), c.req.param('turn') ?? '')
  const view = async (c: Context<Env>, turn: BotTurn) => {
    const found = await site.views.reply(turn.id, c.get('session').person.id)
    if (!found) throw new HoneError('NOT_FOUND', 'This reply is no longer there.')
    return found
  }
  const showBar = async (c: Context<Env>, turn: BotTurn & { readonly name: string }) =>
    fragment(c, bar(pageOf(site, c.get('session')), await view(c, turn)), { back: site.url(`/t/${turn.name}`) })
  const tell = (c: Context<Env>, event: Feedback) =>
    site.bot.feedback({ tenant: 'web', person: c.get('session').person, ...event })

  app.get('/turns/:turn', async (c) => c.html(reply(pageOf(site, c.get('session')), await view(c, await own(c)))))

  app.get('/turns/:turn/why', async (c) => {
    const turn = await own(c)
    return c.html(whyPanel(pageOf(site, c.get('session')), await site.bot.why(turn.id)))
  })

  app.post('/turns/:turn/vote', async (c) => {
    const turn = await own(c)
    const { verdict, reason } = parseForm('vote', c.get('form'))
    await tell(c, { kind: 'vote', turn: turn.id, verdict, ...(reason ? { reason } : {}) })
    return showBar(c, turn)
  })

  app.post('/turns/:turn/correction', async (c) => {
    const turn = await own(c)
    await tell(c, { kind: 'correction', turn: turn.id, text: parseForm('correction', c.get('form')).text })
    return showBar(c, turn)
  })

  app.post('/turns/:turn/retry', async (c) => {
    const session = c.get('session')
    const turn = await own(c)
    const event = retryEvent(session, turn.thread, turn.id, parseForm('retry', c.get('form')), new Date())
    await site.bot.receive(event)
    const live = site.streams.lives(turn.thread).find((one) => one.event.id === event.id) ?? site.streams.open(event)
    return fragment(c, liveReply(pageOf(site, session), live), { status: 202, back: site.url(`/t/${turn.name}`) })
  })

  app.post('/duels/:duel', async (c) => {
    const session = c.get('session')
    const form = parseForm('duel', c.get('form'))
    const duel = c.req.param('duel')
    const left = await ownTurn(site, session, form.left)
    const right = await ownTurn(site, session, form.right)
    if (left.duel !== duel || right.duel !== duel) {
      throw new HoneError('FEEDBACK', 'These two replies are not one duel.')
    }
    await tell(c, { kind: 'duel', duel, outcome: form.outcome })
    const asked = await site.family.question(left.id)
    const now = asked && (await site.views.exchangeOf(asked))
    return fragment(c, slot(pageOf(site, session), now?.slot ?? { kind: 'none' }), {
      back: site.url(`/t/${left.name}`),
    })
  })
  return app
}

type Feedback = FeedbackEvent extends infer Event
  ? Event extends FeedbackEvent
    ? Omit<Event, 'tenant' | 'person'>
    : never
  : never
