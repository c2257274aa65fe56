import type { Logger } from '../../src/log.ts'
import type { SlackApi } from './api.ts'

const keptMs = 300_000

/** Who is an admin: named by user id, or a member of a named user group (asked anew every five minutes). */
export function createAdmins(api: SlackApi, ids: readonly string[], log: Logger, now: () => number = Date.now) {
  const groups = ids.filter((id) => id.startsWith('S'))
  const members = new Map<string, { readonly at: number; readonly users: readonly string[] }>()

  async function membersOf(team: string, usergroup: string): Promise<readonly string[]> {
    const key = `${team} ${usergroup}`
    const known = members.get(key)
    if (known && now() - known.at < keptMs) return known.users
    try {
      const where = { team, channel: '' }
      const answer = await api.call('usergroups.users.list', where, (client) =>
        client.usergroups.users.list({ usergroup }),
      )
      const users = answer.users ?? []
      members.set(key, { at: now(), users })
      return users
    } catch (error) {
      log.warn('slack.usergroup.unread', { usergroup, error: String(error) })
      return known?.users ?? []
    }
  }

  return async function isAdmin(team: string, user: string): Promise<boolean> {
    if (ids.includes(user)) return true
    for (const group of groups) if ((await membersOf(team, group)).includes(user)) return true
    return false
  }
}
