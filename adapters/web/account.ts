import { type Context, Hono } from 'hono'
import { parseForm } from './parse.ts'
import { loginPage } from './render/layout.ts'
import { type Env, pageOf, type Site } from './site.ts'

/** Routes of the person: a name, signing in and out as admin. */
export function accountRoutes(site: Site): Hono<Env> {
  const app = new Hono<Env>()
  const home = () => site.url(site.bot.learning ? '/learning' : '/')
  const signIn = async (c: Context<Env>, token: string) => {
    const session = c.get('session')
    const page = pageOf(site, session)
    switch (site.sessions.tryToken(token)) {
      case 'right':
        await site.sessions.signIn(c, session)
        site.log.info('web.admin.in', { person: session.person.id })
        return c.redirect(home(), 303)
      case 'wrong':
        site.log.warn('web.admin.refused', { person: session.person.id })
        return c.html(loginPage(page, 'This is not the admin token.'), 403)
      case 'too-many':
        return c.html(loginPage(page, 'Too many tries. Wait a minute, then try again.'), 429)
    }
  }

  app.get('/login', (c) => {
    const token = c.req.query('token')
    return token === undefined ? c.html(loginPage(pageOf(site, c.get('session')), '')) : signIn(c, token)
  })
  app.post('/login', (c) => signIn(c, parseForm('login', c.get('form')).token))
  app.post('/logout', (c) => {
    site.sessions.signOut(c)
    return c.redirect(site.url('/'), 303)
  })
  app.post('/name', async (c) => {
    await site.sessions.rename(c, c.get('session'), parseForm('name', c.get('form')).name)
    return c.redirect(site.url('/'), 303)
  })
  return app
}
