import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { HoneError } from './errors.ts'

/** One row a variable: the only table from which types, checks, `.env.example` and the README come. */
interface Setting {
  readonly group: 'Server' | 'Model' | 'Knowledge' | 'Learning' | 'Logging' | 'Discord'
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
const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
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
    fallback: 'info',
    help: 'Log level. debug includes what people write.',
    check: oneOf('debug', 'info', 'warn', 'error', 'silent'),
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
  },
  HONE_DISCORD_API: {
    group: 'Discord',
    fallback: 'https://discord.com/api',
    help: 'Discord’s REST API; another one for tests.',
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

export interface Config {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly adminToken: string
  readonly model: string
  readonly trainModel: string
  readonly engineUrl: string
  readonly engineKey: string
  readonly contextTokens: number
  readonly parallel: number
  readonly profile: string
  readonly embedModel: string
  readonly duelRate: number
  readonly trainOn: readonly string[]
  readonly schedule: string
  readonly python: string
  readonly logLevel: string
  readonly discord: DiscordConfig
}

export interface DiscordConfig {
  readonly token: string
  readonly channels: readonly string[]
  readonly threads: boolean
  readonly reactions: boolean
  readonly admins: readonly string[]
  readonly api: string
}

/** The environment of this process over the `.env` file of a folder. */
export function environment(folder = process.cwd()): Readonly<Record<string, string | undefined>> {
  const file = join(folder, '.env')
  return { ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}), ...process.env }
}

/**
 * Reads and checks the settings. The only reader of the environment in the whole project.
 *
 * @throws HoneError CONFIG naming the variable, its value and what it must be; also for an unknown HONE_ variable.
 * @example const config = readConfig({ HONE_PORT: '8080' })
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = environment()): Config {
  refuseUnknown(env)
  const value = (name: SettingName): string => {
    const setting: Setting = settings[name]
    const given = env[name]?.trim() || setting.fallback
    const wanted = given === setting.fallback ? undefined : setting.check?.(given)
    if (wanted) {
      // A secret that is wrong is a secret all the same.
      const shown = setting.secret ? '' : ` is "${given}"; it`
      throw new HoneError('CONFIG', `${name}${shown} must be ${wanted}.`)
    }
    return given
  }
  return {
    dataDir: resolve(value('HONE_DATA')),
    host: value('HONE_HOST'),
    port: Number(value('HONE_PORT')),
    adminToken: value('HONE_ADMIN_TOKEN'),
    model: value('HONE_MODEL'),
    trainModel: value('HONE_TRAIN_MODEL'),
    engineUrl: value('HONE_ENGINE_URL'),
    engineKey: value('HONE_ENGINE_KEY'),
    contextTokens: Number(value('HONE_CONTEXT')),
    parallel: Number(value('HONE_PARALLEL')),
    profile: value('HONE_PROFILE'),
    embedModel: value('HONE_EMBED_MODEL'),
    duelRate: Number(value('HONE_DUEL_RATE')),
    trainOn: list(value('HONE_TRAIN_ON')),
    schedule: value('HONE_SCHEDULE'),
    python: value('HONE_PYTHON'),
    logLevel: value('HONE_LOG'),
    discord: {
      token: value('DISCORD_TOKEN'),
      channels: list(value('HONE_DISCORD_CHANNELS')),
      threads: value('HONE_DISCORD_THREADS') === 'on',
      reactions: value('HONE_DISCORD_REACTIONS') === 'on',
      admins: list(value('HONE_DISCORD_ADMINS')),
      api: value('HONE_DISCORD_API'),
    },
  }
}

/** A typo in a variable's name must not pass in silence. */
function refuseUnknown(env: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('HONE_') || name in settings) continue
    const [near] = Object.keys(settings)
      .filter((known) => distance(known, name) <= 3)
      .sort((a, b) => distance(a, name) - distance(b, name))
    throw new HoneError('CONFIG', `${name} is no setting of Hone${near ? `; did you mean ${near}?` : '.'}`)
  }
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** The text of `.env.example`; a test keeps the file equal to it. */
export function envExample(): string {
  const lines = ['# Copy to .env and change what you need. Every setting has a default that works.']
  let group = ''
  for (const [name, setting] of Object.entries<Setting>(settings)) {
    if (setting.group !== group) lines.push('', `# ${setting.group}`)
    group = setting.group
    lines.push(
      `# ${setting.help}`,
      `${setting.secret || setting.fallback === '' ? '# ' : ''}${name}=${setting.fallback}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** The environment for a child process: ours and `extra`. */
export function childEnvironment(extra: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...extra }
}
