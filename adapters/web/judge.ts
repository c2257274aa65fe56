import { type Context, Hono } from 'hono'
import { HoneError } from '../../src/errors.ts'
import type { FeedbackEvent } from '../../src/ports/bot.ts'
import { parseForm } from './parse.ts'
import { bar, slot } from './render/reply.ts'
import { type Env, fragment, ownTurn, pageOf, type Site } from './site.ts'
import { replyView } from './turns.ts'

type Said = FeedbackEvent extends infer One
  ? One extends FeedbackEvent
    ? Omit<One, 'tenant' | 'person'>
    : never
  : never

/** Routes of what a person says about replies: thumbs, better answers, duels. */
export function judgeRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const tell = (c: Context<Env>, said: Said) =>
    site.bot.feedback({ tenant: 'web', person: c.get('session').person, ...said })

  const judge = (what: 'vote' | 'correction', read: (c: Context<Env>, turn: string) => Said) =>
    app.post(`/turns/:turn/${what}`, async (c) => {
      const session = c.get('session')
      const turn = await ownTurn(site, session, c.req.param('turn') ?? '')
      await tell(c, read(c, turn.id))
      const view = await replyView(site, session, turn)
      return fragment(c, bar(pageOf(site, session), view), { back: site.url(`/t/${turn.name}`) })
    })
  judge('vote', (c, turn) => {
    const { verdict, reason } = parseForm('vote', c.get('form'))
    return { kind: 'vote', turn, verdict, ...(reason ? { reason } : {}) }
  })
  judge('correction', (c, turn) => ({ kind: 'correction', turn, text: parseForm('correction', c.get('form')).text }))

  app.post('/duels/:duel', async (c) => {
    const { left, right, outcome } = parseForm('duel', c.get('form'))
    const duel = c.req.param('duel')
    const [one, other] = [await ownTurn(site, c.get('session'), left), await ownTurn(site, c.get('session'), right)]
    if (one.duel !== duel || other.duel !== duel) throw new HoneError('FEEDBACK', 'These two replies are not one duel.')
    await tell(c, { kind: 'duel', duel, outcome })
    const asked = await site.family.question(one.id)
    const now = asked && (await site.views.exchangeOf(asked))
    const body = slot(pageOf(site, c.get('session')), now?.slot ?? { kind: 'none' })
    return fragment(c, body, { back: site.url(`/t/${one.name}`) })
  })
  return app
}
