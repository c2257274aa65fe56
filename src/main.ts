#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { cac } from 'cac'
import { chat } from './cli/chat.ts'
import { type CompareFlags, compare } from './cli/compare.ts'
import { type Desk, localDesk, type OfTenant } from './cli/desk.ts'
import { doctor } from './cli/doctor.ts'
import { evaluateVersion } from './cli/eval.ts'
import { exportRows, importRows, stats } from './cli/feedback.ts'
import { ingest, search } from './cli/ingest.ts'
import { printManifest } from './cli/manifest.ts'
import { pullModel } from './cli/models.ts'
import { createOutput, explainFailure, type Output } from './cli/output.ts'
import { openParts, type Parts } from './cli/parts.ts'
import { forget, why } from './cli/people.ts'
import { profile } from './cli/profile.ts'
import { replayProfile } from './cli/profile-replay.ts'
import { testProfile } from './cli/profile-test.ts'
import { remoteDesk } from './cli/remote.ts'
import { serve } from './cli/serve.ts'
import { setUpPython } from './cli/setup.ts'
import { start } from './cli/start.ts'
import { ofTenant, promote, type TrainFlags, train, versions } from './cli/train.ts'
import { type TuneFlags, tunePrompt } from './cli/tune.ts'
import { type Config, environment, readConfig } from './config.ts'
import { HoneError } from './errors.ts'
import { createLogger, type Logger } from './log.ts'
import { methodChoices } from './ports/trainer.ts'

interface Flags {
  readonly json?: boolean
  /** Logs what happens, and not only what people should know; HONE_LOG may say otherwise. */
  readonly logs?: boolean
}
type Work = (parts: Parts, output: Output, log: Logger) => Promise<void>

/** Opens the parts, does the work, closes them, whatever happens. */
async function withParts(flags: Flags, work: Work): Promise<void> {
  await withConfig(flags, async (config, output, log) => {
    await using parts = openParts(config, log)
    await work(parts, output, log)
  })
}

/** The same for commands that a running server can do as well, with its own parts. */
async function withDesk(flags: Flags, work: (desk: Desk, output: Output) => Promise<void>): Promise<void> {
  await withConfig(flags, async (config, output, log) => {
    try {
      await using parts = openParts(config, log)
      await work(localDesk(parts), output)
    } catch (error) {
      const locked = error instanceof HoneError && error.code === 'DATA_LOCKED'
      const desk = locked ? await remoteDesk(config.dataDir) : undefined
      if (!desk) throw error
      output.say(`Hone runs at ${desk.url} and does it there.`)
      await work(desk, output)
    }
  })
}

async function withConfig(
  flags: Flags,
  work: (config: Config, output: Output, log: Logger) => Promise<void>,
): Promise<void> {
  const output = createOutput(flags.json === true)
  try {
    const config = readConfig(environment(), flags.logs ? 'info' : 'warn')
    await work(config, output, createLogger(config.logLevel))
  } catch (error) {
    process.exitCode = explainFailure(error, output)
  }
}

const cli = cac('hone')
const ofTenantOption = ['--tenant <name>', 'Of this workspace or guild, e.g. slack:T0123'] as const

cli
  .command('start', 'The sample bot: page and terminal, nothing to configure')
  .action((flags) => withParts(flags, start))
cli
  .command('serve', 'The page and every channel that the environment configures')
  .action((flags) => withParts({ ...flags, logs: true }, serve))
cli
  .command('chat', 'Chat in the terminal')
  .option('--once <text>', 'Print one reply and exit')
  .option('--json', 'Print one JSON object')
  .action((flags) => withDesk(flags, (desk, output) => chat(text('once'), desk, output)))
cli
  .command('ingest <...sources>', 'Read folders, files and URLs into the knowledge; a second run takes what changed')
  .option('--json', 'Print one JSON object')
  .action((sources, flags) => withDesk(flags, (desk, output) => ingest(sources, desk, output)))
cli
  .command('search <query>', 'Passages with scores')
  .option('--json', 'Print one JSON object')
  .action((query, flags) => withDesk(flags, (desk, output) => search(String(query), desk, output)))
cli
  .command('feedback <what> [file]', 'stats | export | import FILE')
  .option('--format <name>', 'dpo, kto, sft or rm (TRL’s formats); export also llama-factory, axolotl')
  .option('--out <file>', 'Write the export to a file; to a folder for llama-factory and axolotl')
  .option('--json', 'Print one JSON object')
  .action((what, file, flags) => withDesk(flags, (desk, output) => feedback({ what, file }, desk, output)))
cli
  .command('train', 'Train on the votes, prove the result and swap it in')
  .option('--method <name>', methodChoices.join(', '))
  .option('--dry-run', 'Only say what a run would use')
  .option('--learning-rate <number>', 'Instead of the recipe’s')
  .option('--epochs <number>', 'Instead of the recipe’s')
  .option('--sft-weight <number>', 'Instead of the recipe’s')
  .option('--label-smoothing <number>', 'Share of votes that may be wrong, for robust DPO: 0 (as is) to below 0.5')
  .option('--seed <number>', 'Seed of the run')
  .option(...ofTenantOption)
  .option('--export', 'soft-prompt: train it though no engine here can load one, and keep its PEFT folder')
  .option('--json', 'Print one JSON object')
  .action((flags) => withDesk(flags, (desk, output) => train(trainFlags(flags), desk, output)))
cli
  .command('compare', 'Every technique side by side on held-out feedback, with a recommendation')
  .option('--minutes <number>', 'How long one technique may train (30)')
  .option('--rows <number>', 'How many rows of feedback one may train on: the newest (all)')
  .option('--epochs <number>', 'Instead of the recipe’s')
  .option('--only <ids>', 'These techniques alone: base,examples,dpo,…')
  .option('--seed <number>', 'Seed of the trainings')
  .option(...ofTenantOption)
  .option('--dry-run', 'Only say what would be compared')
  .option('--last', 'Only print the newest result')
  .option('--json', 'Print one JSON object')
  .action((flags) => withDesk(flags, (desk, output) => compare(compareFlags(flags), desk, output)))
cli
  .command('tune-prompt', 'Search hidden prompts, rules and examples on the feedback; the best must pass the gate')
  .option('--budget <amount>', 'How much the search may evaluate: 20min, or 500k tokens (15min)')
  .option('--profile <version>', 'Start from this version or file instead of what serves')
  .option('--promote', 'Let the new version serve if it passes')
  .option('--seed <number>', 'Seed of the search')
  .option('--dry-run', 'Only say what a search would do')
  .option('--last', 'Only print the newest report')
  .option('--json', 'Print one JSON object')
  .action((flags) => withDesk(flags, (desk, output) => tunePrompt(tuneFlags(flags), desk, output)))
cli
  .command('eval [version]', 'The gate’s checks for a version: the newest, or this one')
  .option('--json', 'Print one JSON object')
  .action((version, flags) => withDesk(flags, (desk, output) => evaluateVersion(version, desk, output)))
cli
  .command('versions', 'Every version')
  .option(...ofTenantOption)
  .option('--json', 'Print JSON')
  .action((flags) => withDesk(flags, (desk, output) => versions(tenant(), desk, output)))
cli
  .command('promote <version>', 'Let a version serve')
  .option(...ofTenantOption)
  .option('--json', 'Print one JSON object')
  .action((version, flags) =>
    withDesk(flags, (desk, output) => promote({ version: String(version), ...tenant() }, desk, output)),
  )
cli
  .command('rollback', 'Take back a canary, else back to the version that served before')
  .option(...ofTenantOption)
  .option('--json', 'Print one JSON object')
  .action((flags) => withDesk(flags, (desk, output) => promote(tenant(), desk, output)))
cli
  .command(
    'profile <action> [...names]',
    'list | show [V|FILE] | diff A [B] | test CASES | replay V|FILE | promote V|FILE | rollback',
  )
  .option('--profile <file>', 'test: this profile instead of the one that the cases name')
  .option('--threads <number>', 'replay: how many past threads (20)')
  .option('--turns <number>', 'replay: how many messages (100)')
  .option('--minutes <number>', 'replay: how long (10)')
  .option('--since <when>', 'replay: only threads that are newer: 7d, 12h, or a date')
  .option('--voted', 'replay: threads with votes first')
  .option('--tenant <name>', 'replay: whose threads, where there are several tenants')
  .option('--json', 'Print one JSON object')
  .action((_, __, flags) => profileAction(words(), flags))
cli
  .command('why <turn>', 'Why a reply says what it says')
  .option('--json', 'Print one JSON object')
  .action((turn, flags) => withDesk(flags, (desk, output) => why(String(turn), desk, output)))
cli
  .command('forget <person>', 'Delete what a person wrote and every vote of theirs')
  .option('--json', 'Print one JSON object')
  .action((person, flags) => withDesk(flags, (desk, output) => forget(String(person), desk, output)))
cli
  .command('doctor', 'What works here and what is missing')
  .option('--json', 'Print one JSON object')
  .action((flags) => withConfig(flags, doctor))
cli
  .command('manifest <channel>', 'The app manifest for slack, teams or discord, and what to do with it')
  .option('--app-id <id>', 'Teams: the id of the bot’s registration')
  .option('--out <file>', 'Teams: where the package goes (hone-teams.zip)')
  .option('--name <name>', 'Teams: what the bot is called')
  .option('--website <url>', 'Teams: where people find out about the bot')
  .option('--json', 'Print one JSON object')
  .action((name, flags) =>
    withConfig(flags, async (config, output) => printManifest(String(name), config, output, flags)),
  )
cli
  .command('models <what> <name>', 'pull NAME|hf:OWNER/REPO/FILE.gguf')
  .option('--json', 'Print one JSON object')
  .action((what, name, flags) => withConfig(flags, (config, output) => pullModel(what, name, config, output)))
cli
  .command('setup <what>', 'python: the training environment')
  .action((what, flags) => withConfig(flags, (config, output, log) => setUpPython(what, { config, output, log })))

const profileOptions = ['profile', 'threads', 'turns', 'minutes', 'since', 'tenant'] as const

/** What follows the command as it was typed: a version may look like a number. */
function words(): readonly string[] {
  const options = Object.fromEntries(profileOptions.map((name) => [name, { type: 'string' as const }]))
  return parseArgs({ strict: false, allowPositionals: true, options }).positionals.slice(1)
}

function profileAction([action, file, ...rest]: readonly string[], flags: Flags): Promise<void> {
  if (action === 'test') {
    const asked = { file, profile: text('profile') }
    return withConfig(flags, (...given) => testProfile(asked, ...given))
  }
  if (action === 'replay') {
    const { voted } = flags as { readonly voted?: boolean }
    const [threads, turns, minutes, since, tenant] = profileOptions.slice(1).map(text)
    const asked = { threads, turns, minutes, since, tenant, voted }
    return withDesk(flags, (desk, output) => replayProfile(file, asked, desk, output))
  }
  const all = [action, file, ...rest].filter((word) => word !== undefined)
  return withDesk(flags, (desk, output) => profile(all, desk, output))
}

/** A flag as it was typed: cac makes a number of whatever looks like one, a blank too. */
function text(
  name: 'once' | 'method' | 'format' | 'out' | 'only' | 'budget' | (typeof profileOptions)[number],
): string | undefined {
  const value = parseArgs({ strict: false, options: { [name]: { type: 'string' } } }).values[name]
  return typeof value === 'string' ? value : undefined
}

/** Whose versions and feedback. */
function tenant(): OfTenant {
  return ofTenant(text('tenant'))
}

function trainFlags({ '--': _, json: __, ...rest }: Record<string, unknown>): TrainFlags {
  const method = text('method')
  return { ...rest, ...tenant(), ...(method === undefined ? {} : { method }) }
}

function compareFlags({ '--': _, json: __, only: ___, ...rest }: Record<string, unknown>): CompareFlags {
  const only = text('only')
  return { ...rest, ...tenant(), ...(only === undefined ? {} : { only }) }
}

function tuneFlags({ '--': _, json: __, budget: ___, profile: ____, ...rest }: Record<string, unknown>): TuneFlags {
  const [budget, profile] = [text('budget'), text('profile')]
  return { ...rest, ...(budget === undefined ? {} : { budget }), ...(profile === undefined ? {} : { profile }) }
}

interface FeedbackWords {
  readonly what: string
  readonly file?: string
}

function feedback({ what, file }: FeedbackWords, desk: Desk, output: Output): Promise<void> {
  const format = text('format')
  if (what === 'stats') return stats(desk, output)
  if (what === 'export') return exportRows(format, text('out'), desk, output)
  if (what === 'import' && file) return importRows(file, format, desk, output)
  throw new HoneError(
    'INPUT',
    `\`hone feedback ${what}\` is not known: stats, export [--format F] [--out FILE], import FILE [--format F].`,
  )
}

cli.help()
cli.parse(process.argv, { run: false })
try {
  if (cli.matchedCommand) await cli.runMatchedCommand()
  else if (!cli.options.help) {
    cli.outputHelp()
    if (cli.args[0]) process.stderr.write(`\nThere is no command "${cli.args[0]}": the commands are above.\n`)
    process.exitCode = 2
  }
} catch (error) {
  // cac throws for unknown options and missing arguments.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nRun \`hone --help\`.\n`)
  process.exitCode = 2
}
