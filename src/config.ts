import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { HoneError } from './errors.ts'
import type { Setting } from './setting.ts'
import { type SettingName, settings } from './settings.ts'

export interface Config {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly adminToken: string
  /** What one person may send in a minute; 0: no limit. */
  readonly limits: { readonly questions: number; readonly presses: number }
  readonly model: string
  readonly trainModel: string
  readonly engineUrl: string
  readonly engineKey: string
  readonly contextTokens: number
  readonly parallel: number
  readonly profile: string
  /** Where variables come from; no url: only from functions. */
  readonly backend: { readonly url: string; readonly key: string }
  /** File of MCP servers; '' for none. */
  readonly mcp: string
  /** A variable of the environment that a file of the operator's names; secrets come by this alone. */
  readonly named: (name: string) => string | undefined
  readonly embedModel: string
  readonly duelRate: number
  readonly trainOn: readonly string[]
  /** Whether tenants have versions of their own, and how many of those are in memory at most. */
  readonly tenants: { readonly pooled: boolean; readonly engines: number }
  /** People told after a promotion what their votes changed, at most; 0: nobody. */
  readonly receipts: number
  /** What writes explained answers; no url: the model itself. */
  readonly teacher: { readonly url: string; readonly key: string; readonly model: string }
  readonly schedule: string
  /** 0: all GPUs, one process on the CPU. */
  readonly trainProcesses: number
  /** How what passes the gate is proven live; share 0: not at all. */
  readonly canary: { readonly share: number; readonly days: number; readonly verdicts: number }
  /** A thread; empty: where the training was asked for. */
  readonly adminChannel: string
  readonly trainCommand: string
  readonly python: string
  readonly logLevel: string
  readonly slack: SlackConfig
  readonly teams: TeamsConfig
  readonly discord: DiscordConfig
}

export interface SlackConfig {
  readonly botToken: string
  readonly appToken: string
  readonly signingSecret: string
  readonly configToken: string
  readonly appId: string
  readonly url: string
  readonly command: string
  readonly admins: readonly string[]
  readonly partners: readonly string[]
  readonly reactions: boolean
  readonly api: string
}

export interface TeamsConfig {
  readonly appId: string
  readonly appSecret: string
  readonly appTenant: string
  readonly tenants: readonly string[]
  readonly admins: readonly string[]
  readonly feedback: 'default' | 'custom'
  readonly url: string
  readonly insecure: boolean
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
 * @param logLevel where HONE_LOG is not set
 * @throws HoneError CONFIG naming the variable, its value and what it must be; also for an unknown HONE_ variable.
 * @example const config = readConfig({ HONE_PORT: '8080' })
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = environment(),
  logLevel = 'info',
): Config {
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
    limits: {
      questions: Number(value('HONE_QUESTIONS_A_MINUTE')),
      presses: Number(value('HONE_PRESSES_A_MINUTE')),
    },
    model: value('HONE_MODEL'),
    trainModel: value('HONE_TRAIN_MODEL'),
    engineUrl: value('HONE_ENGINE_URL'),
    engineKey: value('HONE_ENGINE_KEY'),
    contextTokens: Number(value('HONE_CONTEXT')),
    parallel: Number(value('HONE_PARALLEL')),
    profile: value('HONE_PROFILE'),
    backend: { url: value('HONE_BACKEND_URL'), key: value('HONE_BACKEND_KEY') },
    mcp: value('HONE_MCP'),
    named: (name) => env[name] || undefined,
    embedModel: value('HONE_EMBED_MODEL'),
    duelRate: Number(value('HONE_DUEL_RATE')),
    trainOn: list(value('HONE_TRAIN_ON')),
    tenants: { pooled: value('HONE_TENANTS') === 'pooled', engines: Number(value('HONE_TENANT_ENGINES')) },
    receipts: Number(value('HONE_RECEIPTS')),
    teacher: {
      url: value('HONE_TEACHER_URL'),
      key: value('HONE_TEACHER_KEY'),
      model: value('HONE_TEACHER_MODEL'),
    },
    schedule: value('HONE_SCHEDULE'),
    trainProcesses: Number(value('HONE_TRAIN_PROCESSES')),
    canary: {
      share: Number(value('HONE_CANARY')),
      days: Number(value('HONE_CANARY_DAYS')),
      verdicts: Number(value('HONE_CANARY_VERDICTS')),
    },
    adminChannel: value('HONE_ADMIN_CHANNEL'),
    trainCommand: value('HONE_TRAIN_COMMAND'),
    python: value('HONE_PYTHON'),
    logLevel: value('HONE_LOG') || logLevel,
    slack: {
      botToken: value('SLACK_BOT_TOKEN'),
      appToken: value('SLACK_APP_TOKEN'),
      signingSecret: value('SLACK_SIGNING_SECRET'),
      configToken: value('SLACK_CONFIG_TOKEN'),
      appId: value('SLACK_APP_ID'),
      url: value('HONE_SLACK_URL'),
      command: value('HONE_SLACK_COMMAND'),
      admins: list(value('HONE_SLACK_ADMINS')),
      partners: list(value('HONE_SLACK_PARTNERS')),
      reactions: value('HONE_SLACK_REACTIONS') === 'on',
      api: value('HONE_SLACK_API'),
    },
    teams: {
      appId: value('HONE_TEAMS_APP_ID'),
      appSecret: value('HONE_TEAMS_APP_SECRET'),
      appTenant: value('HONE_TEAMS_APP_TENANT'),
      tenants: list(value('HONE_TEAMS_TENANTS')),
      admins: list(value('HONE_TEAMS_ADMINS')),
      feedback: value('HONE_TEAMS_FEEDBACK') === 'custom' ? 'custom' : 'default',
      url: value('HONE_TEAMS_URL'),
      insecure: value('HONE_TEAMS_INSECURE') === 'on',
    },
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

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
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
