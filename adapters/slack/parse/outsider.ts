import { z } from 'zod'

const id = z.string().nullish().catch(undefined)
const home = z.looseObject({ user_team: id, source_team: id, team: id })
const event = z.object({
  is_ext_shared_channel: z.literal(true),
  team_id: id,
  context_enterprise_id: id,
  authorizations: z.array(z.object({ team_id: id, enterprise_id: id })).optional(),
  event: home,
})
const interaction = z.object({
  team: z.object({ id, enterprise_id: id }),
  enterprise: z.object({ id }).nullish(),
  user: z.object({ team_id: z.string() }),
  view: z.object({ app_installed_team_id: id }).optional(),
})

/**
 * The workspace or organisation of someone who is none of the app's own people: a member of another company in a
 * channel shared by Slack Connect. Undefined for the own people; `unknown` where a shared channel doesn't say whose.
 */
export function outsiderIn(body: unknown): string | undefined {
  const heard = event.safeParse(body).data
  if (heard) {
    const [installed] = heard.authorizations ?? []
    const own = [installed?.team_id ?? heard.team_id, installed?.enterprise_id, heard.context_enterprise_id]
    const theirs = heard.event.user_team ?? heard.event.source_team ?? heard.event.team ?? 'unknown'
    return own.includes(theirs) ? undefined : theirs
  }
  const acted = interaction.safeParse(body).data
  if (!acted) return undefined
  const { team, enterprise, user, view } = acted
  const own = [view?.app_installed_team_id ?? team.id, team.enterprise_id, enterprise?.id]
  return own.includes(user.team_id) ? undefined : user.team_id
}
