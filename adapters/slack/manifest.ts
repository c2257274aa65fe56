export interface ManifestOptions {
  readonly name?: string
  /** The slash command, e.g. `/hone`. */
  readonly command?: string
  /** Slack reaches the app over HTTP at this address instead of Socket Mode, e.g. `https://bot.example.com/slack/events`. */
  readonly url?: string
  /** Admins are named by user group. */
  readonly userGroups?: boolean
  /** 👍 and 👎 as emoji reactions count as votes. */
  readonly reactions?: boolean
  /** Files that admins share are read. */
  readonly files?: boolean
  /** Questions offered in an empty conversation; at most four. */
  readonly prompts?: readonly string[]
}

/** What the message shortcut is called on the wire. */
export const correctShortcut = 'hone_correct'
export const defaultCommand = '/hone'

/** The least scopes that do what is switched on. */
export function botScopes(options: ManifestOptions = {}): readonly string[] {
  return [
    'app_mentions:read',
    'assistant:write',
    'channels:history',
    'chat:write',
    'commands',
    'groups:history',
    'im:history',
    'mpim:history',
    ...(options.files ? ['files:read'] : []),
    ...(options.reactions ? ['reactions:read'] : []),
    ...(options.userGroups ? ['usergroups:read'] : []),
  ]
}

export function botEvents(options: ManifestOptions = {}): readonly string[] {
  return [
    'agent_session_stopped',
    'app_home_opened',
    'app_mention',
    'message.channels',
    'message.groups',
    'message.im',
    'message.mpim',
    ...(options.reactions ? ['reaction_added', 'reaction_removed'] : []),
  ]
}

/**
 * A complete app manifest. Source: https://docs.slack.dev/reference/app-manifest
 *
 * @example const link = manifestLink(slackManifest({ name: 'Handbook bot' }))
 */
export function slackManifest(options: ManifestOptions = {}) {
  const { name = 'Hone', command = defaultCommand, url, prompts = [] } = options
  const at = url ? { request_url: url } : {}
  const offered = prompts.slice(0, 4).map((text) => ({ title: text.slice(0, 75), message: text }))
  return {
    display_information: { name, description: 'Answers from your documents and learns from your thumbs.' },
    features: {
      agent_view: {
        agent_description: 'Answers from your documents. Vote on its replies and it learns.',
        ...(offered.length > 0 ? { suggested_prompts: offered } : {}),
      },
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: name, always_online: true },
      shortcuts: [
        {
          name: 'Suggest a better answer',
          type: 'message' as const,
          callback_id: correctShortcut,
          description: 'Says what a reply of the bot should have been',
        },
      ],
      slash_commands: [
        {
          command,
          description: 'Status, retrain, versions, privacy …',
          usage_hint: 'help',
          should_escape: false,
          ...(url ? { url } : {}),
        },
      ],
    },
    oauth_config: { scopes: { bot: botScopes(options) } },
    settings: {
      event_subscriptions: { ...at, bot_events: botEvents(options) },
      interactivity: { is_enabled: true, ...at },
      org_deploy_enabled: false,
      socket_mode_enabled: !url,
      token_rotation_enabled: false,
    },
  }
}

/** The page of Slack that makes an app from a manifest. */
export function manifestLink(manifest: object): string {
  return `https://api.slack.com/apps?new_app=1&manifest_json=${encodeURIComponent(JSON.stringify(manifest))}`
}
