/** One row a variable: the only table from which types, checks, `.env.example` and the README come. */
export interface Setting {
  readonly group: 'Server' | 'Model' | 'Knowledge' | 'Learning' | 'Logging' | 'Slack' | 'Teams' | 'Discord'
  readonly fallback: string
  readonly help: string
  readonly secret?: true
  readonly check?: (value: string) => string | undefined
}

const whole = (low: number, high: number) => (value: string) =>
  /^\d+$/.test(value) && Number(value) >= low && Number(value) <= high
    ? undefined
    : `a whole number from ${low} to ${high}`
const fraction = (value: string) =>
  value !== '' && Number(value) >= 0 && Number(value) <= 1 ? undefined : 'a number from 0 to 1'
const begins = (start: string) => (value: string) => (value.startsWith(start) ? undefined : `something like ${start}…`)
const guid = (value: string) =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
    ? undefined
    : 'an id like xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'
const guids = (value: string) =>
  value.split(',').some((id) => id.trim() && guid(id.trim()))
    ? 'ids like xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, with commas'
    : undefined
const snowflakes = (value: string) =>
  value.split(',').every((id) => /^\s*\d{17,20}\s*$/.test(id))
    ? undefined
    : 'ids of 17 to 20 digits, with commas; no names'
const oneOf =
  (...names: readonly string[]) =>
  (value: string) =>
    names.includes(value) ? undefined : `one of ${names.join(', ')}`

export const settings = {
  HONE_DATA: { group: 'Server', fallback: '.hone', help: 'Folder for the database, the index, versions and logs.' },
  HONE_HOST: {
    group: 'Server',
    fallback: '127.0.0.1',
    help: 'Address to listen on. Anything but loopback needs HONE_ADMIN_TOKEN.',
  },
  HONE_PORT: {
    group: 'Server',
    fallback: '3978',
    help: 'Port of the page and of every webhook.',
    check: whole(0, 65535),
  },
  HONE_ADMIN_TOKEN: {
    group: 'Server',
    fallback: '',
    help: 'Token for admin actions. Empty: made at the first start and printed.',
    secret: true,
  },
  HONE_MODEL: {
    group: 'Model',
    fallback: '',
    help: 'Path of a GGUF. Empty: the starter model. With HONE_ENGINE_URL: the model name there.',
  },
  HONE_TRAIN_MODEL: {
    group: 'Model',
    fallback: '',
    help: 'Hugging Face folder (safetensors) of the same model; training starts from it.',
  },
  HONE_ENGINE_URL: {
    group: 'Model',
    fallback: '',
    help: 'OpenAI-style server (vLLM, llama-server, Ollama), e.g. http://127.0.0.1:8000/v1. Empty: in-process llama.cpp.',
  },
  HONE_ENGINE_KEY: {
    group: 'Model',
    fallback: '',
    help: 'API key for HONE_ENGINE_URL, if it wants one.',
    secret: true,
  },
  HONE_CONTEXT: {
    group: 'Model',
    fallback: '0',
    help: 'Context window in tokens. 0: what the model was trained for, at most 8192.',
    check: whole(0, 1_048_576),
  },
  HONE_PARALLEL: { group: 'Model', fallback: '4', help: 'Replies generated at the same time.', check: whole(1, 64) },
  HONE_PROFILE: {
    group: 'Knowledge',
    fallback: '',
    help: 'Profile file (Markdown with front matter). Empty: the sample profile.',
  },
  HONE_EMBED_MODEL: {
    group: 'Knowledge',
    fallback: '',
    help: 'GGUF embedding model or URL of an embeddings endpoint. Empty: the serving model’s own token embeddings.',
  },
  HONE_DUEL_RATE: {
    group: 'Learning',
    fallback: '0.1',
    help: 'Share of replies shown as a blind duel.',
    check: fraction,
  },
  HONE_TRAIN_ON: {
    group: 'Learning',
    fallback: 'web,terminal,import',
    help: 'Channels whose votes may be trained on. Read the platform’s terms before you add slack, teams or discord.',
  },
  HONE_TEACHER_URL: {
    group: 'Learning',
    fallback: '',
    help: 'OpenAI-style server that writes explained answers for `--method explain`; it is sent people’s questions. Empty: the model itself.',
  },
  HONE_TEACHER_KEY: {
    group: 'Learning',
    fallback: '',
    help: 'API key for HONE_TEACHER_URL, if it wants one.',
    secret: true,
  },
  HONE_TEACHER_MODEL: {
    group: 'Learning',
    fallback: '',
    help: 'Name of the model at HONE_TEACHER_URL; empty where it has only one.',
  },
  HONE_SCHEDULE: {
    group: 'Learning',
    fallback: '',
    help: 'Cron expression for training without being asked, e.g. 0 3 * * *. Empty: only on command.',
  },
  HONE_PYTHON: {
    group: 'Learning',
    fallback: '',
    help: 'Python that makes the training environment. Empty: python3 on the PATH.',
  },
  HONE_LOG: {
    group: 'Logging',
    fallback: '',
    help: 'Log level; debug includes what people write. Empty: warn for `hone start` and `hone chat`, info for the rest.',
    check: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  },
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
  HONE_TEAMS_URL: {
    group: 'Teams',
    fallback: '',
    help: 'Public address of /api/messages; `hone doctor` checks it.',
  },
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

export type SettingName = keyof typeof settings
