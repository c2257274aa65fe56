import type { Logger } from '../../src/log.ts'
import type { SlackApi } from './api.ts'

const keptMs = 300_000
/** A user group that can't be read is not asked for again before. */
const failedMs = 30_000

/** The members of a user group, as they are being asked for or were told. */
interface Membership {
  readonly users: Promise<readonly string[]>
  until: number
}

/** Who is an admin: named by user id, or a member of a named user group (asked anew every five minutes). */
export function createAdmins(api: SlackApi, ids: readonly string[], log: Logger, now: () => number = Date.now) {
  const groups = ids.filter((id) => id.startsWith('S'))
  const memberships = new Map<string, Membership>()

  /** One request at a time; all who want to know meanwhile wait for it. */
  function membersOf(team: string, usergroup: string): Promise<readonly string[]> {
    const key = `${team} ${usergroup}`
    const known = memberships.get(key)
    if (known && now() < known.until) return known.users
    const asked: Membership = { users: ask(), until: Number.POSITIVE_INFINITY }
    memberships.set(key, asked)
    return asked.users

    async function ask(): Promise<readonly string[]> {
      try {
        const answer = await api.call('usergroups.users.list', { team, channel: '' }, (client) =>
          client.usergroups.users.list({ usergroup, team_id: team }),
        )
        asked.until = now() + keptMs
        return answer.users ?? []
      } catch (error) {
        log.warn('slack.usergroup.unread', { usergroup, error: String(error) })
        asked.until = now() + failedMs
        return (await known?.users) ?? []
      }
    }
  }

  return async function isAdmin(team: string, user: string): Promise<boolean> {
    if (ids.includes(user)) return true
    for (const group of groups) if ((await membersOf(team, group)).includes(user)) return true
    return false
  }
}
