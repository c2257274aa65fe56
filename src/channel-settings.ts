import { begins, guid, guids, oneOf, type Setting, snowflakes } from './setting.ts'

/** The rows of the table of settings that a channel alone has. */
export const channelSettings = {
  SLACK_BOT_TOKEN: {
    group: 'Slack',
    fallback: '',
    help: 'Bot token (xoxb-…) of the Slack app. `hone manifest slack` makes the app.',
    secret: true,
    check: begins('xoxb-'),
  },
  SLACK_APP_TOKEN: {
    group: 'Slack',
    fallback: '',
    help: 'App-level token (xapp-…) with connections:write, for Socket Mode: no public address needed.',
    secret: true,
    check: begins('xapp-'),
  },
  SLACK_SIGNING_SECRET: {
    group: 'Slack',
    fallback: '',
    help: 'Signing secret, for events over HTTP at /slack/events instead of Socket Mode.',
    secret: true,
  },
  SLACK_CONFIG_TOKEN: {
    group: 'Slack',
    fallback: '',
    help: 'App configuration token (xoxe.…): `hone doctor` compares the app’s manifest by it. Slack lets it live 12 hours.',
    secret: true,
    check: begins('xoxe'),
  },
  SLACK_APP_ID: {
    group: 'Slack',
    fallback: '',
    help: 'Id of the Slack app (A…), for the same; known without where SLACK_APP_TOKEN is set.',
    check: begins('A'),
  },
  HONE_SLACK_URL: {
    group: 'Slack',
    fallback: '',
    help: 'Public address of /slack/events; goes into the manifest for events over HTTP.',
  },
  HONE_SLACK_COMMAND: { group: 'Slack', fallback: '/hone', help: 'The slash command.', check: begins('/') },
  HONE_SLACK_ADMINS: {
    group: 'Slack',
    fallback: '',
    help: 'Who may retrain and promote: user ids (U…) and user group ids (S…), with commas.',
  },
  HONE_SLACK_PARTNERS: {
    group: 'Slack',
    fallback: '',
    help: 'Other workspaces (T…, E…) whose people are answered in channels shared with them, with commas.',
  },
  HONE_SLACK_REACTIONS: {
    group: 'Slack',
    fallback: 'off',
    help: 'Count 👍 and 👎 reactions on replies as votes.',
    check: oneOf('on', 'off'),
  },
  HONE_SLACK_API: {
    group: 'Slack',
    fallback: 'https://slack.com/api/',
    help: 'Slack’s Web API; another one for GovSlack and for tests.',
    check: begins('http'),
  },
  HONE_TEAMS_APP_ID: {
    group: 'Teams',
    fallback: '',
    help: 'App id of the bot’s registration in Entra. docs/teams.md says how to get one.',
    check: guid,
  },
  HONE_TEAMS_APP_SECRET: { group: 'Teams', fallback: '', help: 'Client secret of that registration.', secret: true },
  HONE_TEAMS_APP_TENANT: { group: 'Teams', fallback: '', help: 'Tenant of that registration.', check: guid },
  HONE_TEAMS_TENANTS: {
    group: 'Teams',
    fallback: '',
    help: 'Tenants that may talk to the bot, with commas. Empty: that of the registration.',
    check: guids,
  },
  HONE_TEAMS_ADMINS: {
    group: 'Teams',
    fallback: '',
    help: 'Entra object ids of the people who may retrain, promote and roll back, with commas.',
  },
  HONE_TEAMS_FEEDBACK: {
    group: 'Teams',
    fallback: 'default',
    help: 'The form behind a thumb: Teams’s own, or one with reasons and a better answer.',
    check: oneOf('default', 'custom'),
  },
  HONE_TEAMS_URL: { group: 'Teams', fallback: '', help: 'Public address of /api/messages; `hone doctor` checks it.' },
  HONE_TEAMS_INSECURE: {
    group: 'Teams',
    fallback: 'off',
    help: 'on: answers without authentication, for local testing. Only on loopback, only without an app id.',
    check: oneOf('on', 'off'),
  },
  DISCORD_TOKEN: {
    group: 'Discord',
    fallback: '',
    help: 'Token of the Discord bot, from https://discord.com/developers/applications, page Bot.',
    secret: true,
  },
  HONE_DISCORD_CHANNELS: {
    group: 'Discord',
    fallback: '',
    help: 'Ids of channels where every message is a question; needs the message content intent.',
    check: snowflakes,
  },
  HONE_DISCORD_THREADS: {
    group: 'Discord',
    fallback: 'off',
    help: 'Answer each question that is asked in a channel in a thread of its own.',
    check: oneOf('on', 'off'),
  },
  HONE_DISCORD_REACTIONS: {
    group: 'Discord',
    fallback: 'off',
    help: 'Count 👍 and 👎 reactions on replies as votes.',
    check: oneOf('on', 'off'),
  },
  HONE_DISCORD_ADMINS: {
    group: 'Discord',
    fallback: '',
    help: 'Ids of users who may retrain and promote, with commas. The application’s owner always may.',
    check: snowflakes,
  },
  HONE_DISCORD_API: {
    group: 'Discord',
    fallback: 'https://discord.com/api',
    help: 'Discord’s REST API; another one for tests.',
  },
} as const satisfies Record<string, Setting>
