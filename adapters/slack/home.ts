import { parseOpened } from './parse/event.ts'
import { personOf, tenantOf, threadOf } from './place.ts'
import { type HomeView, homeView } from './render/home.ts'
import type { Site } from './site.ts'

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
  const mine = await votesOf(site, tenantOf(team), person.id)
  const view = { mine, privacy: privacy.text, command }
  if (!(await site.isAdmin(team, user))) return view
  const [job] = await bot.store.jobs.list(1)
  const counts = await bot.store.feedback.counts()
  const versions = (await bot.learning?.versions()) ?? []
  return { ...view, admin: { counts, versions, ...(job ? { job } : {}) } }
}

async function votesOf({ bot }: Site, tenant: string, person: string): Promise<HomeView['mine']> {
  const mine = { up: 0, down: 0, corrections: 0 }
  for await (const { replies } of bot.store.feedback.judged(tenant)) {
    for (const { votes, corrections } of replies) {
      mine.corrections += corrections.filter((one) => one.person === person).length
      const verdict = votes.find((vote) => vote.person === person)?.verdict
      if (verdict === 'up' || verdict === 'down') mine[verdict] += 1
    }
  }
  return mine
}
