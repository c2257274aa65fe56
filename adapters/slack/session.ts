import type { Logger } from '../../src/log.ts'
import { type SlackApi, slackCode } from './api.ts'
import type { Place } from './place.ts'

/** Slack's agent sessions: the working state that people see, with a Stop button. */
export interface Sessions {
  /** Shows that the bot is at work; true when the session has to be ended. */
  begin(place: Place, user: string): Promise<boolean>
  end(place: Place): Promise<void>
}

/** Errors that say this app has no sessions: then the older status is shown. */
const without = new Set([
  'unknown_method',
  'not_allowed_token_type',
  'missing_scope',
  'not_an_agent',
  'feature_not_enabled',
  'method_not_supported_for_channel_type',
  'access_denied',
])

export function createSessions(api: SlackApi, log: Logger): Sessions {
  /** Workspaces where the app is no agent. */
  const none = new Set<string>()
  const older = new Set<string>()

  async function olderStatus(place: Place): Promise<void> {
    const { team, channel, thread } = place
    if (older.has(team) || !thread) return
    try {
      const status = { channel_id: channel, thread_ts: thread, status: 'is thinking…' }
      await api.tryCall('assistant.threads.setStatus', place, (client) => client.assistant.threads.setStatus(status))
    } catch (error) {
      older.add(team)
      log.debug('slack.status.none', { team, code: slackCode(error) })
    }
  }

  return {
    async begin(place, user) {
      const { team, channel, thread } = place
      if (!thread) return false
      if (none.has(team)) {
        await olderStatus(place)
        return false
      }
      try {
        const session = { channel_id: channel, thread_ts: thread, status: 'processing', initiator_user_id: user }
        const set = await api.tryCall('agents.sessions.setStatus', place, (client) =>
          client.agents.sessions.setStatus(session),
        )
        return set !== undefined
      } catch (error) {
        const code = slackCode(error) ?? ''
        log.debug('slack.session.none', { team, code })
        if (without.has(code)) none.add(team)
        await olderStatus(place)
        return false
      }
    },
    async end({ team, channel, thread = '' }) {
      const session = { channel_id: channel, thread_ts: thread, status: 'active' }
      await api
        .call('agents.sessions.setStatus', { team, channel }, (client) => client.agents.sessions.setStatus(session))
        .catch((error: unknown) => log.debug('slack.session.end', { team, code: slackCode(error) }))
    },
  }
}
