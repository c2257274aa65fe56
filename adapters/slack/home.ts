import { concerns } from '../../src/id.ts'
import { parseOpened } from './parse/event.ts'
import { personOf, tenantOf, threadOf } from './place.ts'
import { type HomeView, homeView } from './render/home.ts'
import type { Site } from './site.ts'

const lookedAt = 50

/** Someone opened App Home: shows what they said, and to admins how the bot learns. */
export async function showHome(site: Site, body: unknown): Promise<void> {
  const opened = parseOpened(body)
  if (opened?.tab !== 'home') return
  await publishHome(site, opened.team, opened.user)
}

export async function publishHome(site: Site, team: string, user: string): Promise<void> {
  const view = homeView(await read(site, team, user))
  await site.api.call('views.publish', { team, channel: user }, (client) =>
    client.views.publish({ user_id: user, view }),
  )
}

async function read(site: Site, team: string, user: string): Promise<HomeView> {
  const { bot, command } = site
  const person = personOf(team, user)
  const where = {
    tenant: tenantOf(team),
    channel: 'slack',
    thread: threadOf({ team, channel: user }),
    person,
    admin: false,
  }
  const privacy = await bot.command({ text: 'privacy', ...where })
  const mine = await bot.store.feedback.countsOf(tenantOf(team), person.id)
  const view = { mine, privacy: privacy.text, command }
  if (!(await site.isAdmin(team, user))) return view
  const { tenant } = where
  const job = (await bot.store.jobs.list(lookedAt)).find((one) => concerns(one, tenant))
  const counts = await bot.store.feedback.counts(bot.learning?.tenants && tenant)
  const versions = (await bot.learning?.versions(tenant)) ?? []
  return { ...view, admin: { counts, versions, ...(job ? { job } : {}) } }
}
