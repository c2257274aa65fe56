#!/usr/bin/env node
import { cac } from 'cac'
import { chat } from './cli/chat.ts'
import { doctor } from './cli/doctor.ts'
import { exportRows, importRows, stats } from './cli/feedback.ts'
import { ingest, search } from './cli/ingest.ts'
import { printManifest } from './cli/manifest.ts'
import { pullModel } from './cli/models.ts'
import { createOutput, explainFailure, type Output } from './cli/output.ts'
import { openParts, type Parts } from './cli/parts.ts'
import { forget, why } from './cli/people.ts'
import { serve } from './cli/serve.ts'
import { setUpPython } from './cli/setup.ts'
import { start } from './cli/start.ts'
import { promote, type TrainFlags, train, versions } from './cli/train.ts'
import { type Config, readConfig } from './config.ts'
import { HoneError } from './errors.ts'
import { createLogger, type Logger } from './log.ts'

interface Flags {
  readonly json?: boolean
}
type Work = (parts: Parts, output: Output, log: Logger) => Promise<void>

/** Opens the parts, does the work, closes them, whatever happens. */
async function withParts(flags: Flags, work: Work): Promise<void> {
  await withConfig(flags, async (config, output, log) => {
    await using parts = openParts(config, log)
    await work(parts, output, log)
  })
}

async function withConfig(
  flags: Flags,
  work: (config: Config, output: Output, log: Logger) => Promise<void>,
): Promise<void> {
  const output = createOutput(flags.json === true)
  try {
    const config = readConfig()
    await work(config, output, createLogger(config.logLevel))
  } catch (error) {
    process.exitCode = explainFailure(error, output)
  }
}

const cli = cac('hone')

cli
  .command('start', 'The sample bot: page and terminal, nothing to configure')
  .action((flags) => withParts(flags, start))
cli
  .command('serve', 'The page and every channel that the environment configures')
  .action((flags) => withParts(flags, serve))
cli
  .command('chat', 'Chat in the terminal')
  .option('--once <text>', 'Print one reply and exit')
  .option('--json', 'Print one JSON object')
  .action((flags) => withParts(flags, (parts, output) => chat(flags.once, parts, output)))
cli
  .command('ingest <...sources>', 'Read folders, files and URLs into the knowledge; a second run takes what changed')
  .option('--json', 'Print one JSON object')
  .action((sources, flags) => withParts(flags, (parts, output) => ingest(sources, parts, output)))
cli
  .command('search <query>', 'Passages with scores')
  .option('--json', 'Print one JSON object')
  .action((query, flags) => withParts(flags, (parts, output) => search(String(query), parts, output)))
cli
  .command('feedback <what> [file]', 'stats | export | import FILE')
  .option('--format <name>', 'dpo, kto, sft or rm (TRL’s formats)')
  .option('--out <file>', 'Write the export to a file')
  .option('--json', 'Print one JSON object')
  .action((what, file, flags) => withParts(flags, (parts, output) => feedback({ what, file, ...flags }, parts, output)))
cli
  .command('train', 'Train on the votes, prove the result and swap it in')
  .option('--method <name>', 'dpo, sft or kto')
  .option('--dry-run', 'Only say what a run would use')
  .option('--learning-rate <number>', 'Instead of the recipe’s')
  .option('--epochs <number>', 'Instead of the recipe’s')
  .option('--sft-weight <number>', 'Instead of the recipe’s')
  .option('--seed <number>', 'Seed of the run')
  .option('--json', 'Print one JSON object')
  .action((flags) => withParts(flags, (parts, output) => train(trainFlags(flags), parts, output)))
cli
  .command('versions', 'Every version')
  .option('--json', 'Print JSON')
  .action((flags) => withParts(flags, versions))
cli
  .command('promote <version>', 'Let a version serve')
  .option('--json', 'Print one JSON object')
  .action((version, flags) => withParts(flags, (parts, output) => promote(String(version), parts, output)))
cli
  .command('rollback', 'Back to the version that served before')
  .option('--json', 'Print one JSON object')
  .action((flags) => withParts(flags, (parts, output) => promote(undefined, parts, output)))
cli
  .command('why <turn>', 'Why a reply says what it says')
  .option('--json', 'Print one JSON object')
  .action((turn, flags) => withParts(flags, (parts, output) => why(String(turn), parts, output)))
cli
  .command('forget <person>', 'Delete what a person wrote and every vote of theirs')
  .option('--json', 'Print one JSON object')
  .action((person, flags) => withParts(flags, (parts, output) => forget(String(person), parts, output)))
cli
  .command('doctor', 'What works here and what is missing')
  .option('--json', 'Print one JSON object')
  .action((flags) => withConfig(flags, doctor))
cli
  .command('manifest <channel>', 'discord: the invite link with the least permissions')
  .option('--json', 'Print one JSON object')
  .action((name, flags) => withConfig(flags, async (config, output) => printManifest(String(name), config, output)))
cli
  .command('models <what> <name>', 'pull NAME|hf:OWNER/REPO/FILE.gguf')
  .option('--json', 'Print one JSON object')
  .action((what, name, flags) => withConfig(flags, (config, output) => pullModel(what, name, config, output)))
cli
  .command('setup <what>', 'python: the training environment')
  .action((what, flags) => withConfig(flags, (config, output, log) => setUpPython(what, { config, output, log })))

function trainFlags(flags: Record<string, unknown>): TrainFlags {
  const { '--': _, json: __, ...rest } = flags
  return rest as TrainFlags
}

interface FeedbackFlags {
  readonly what: string
  readonly file?: string
  readonly format?: string
  readonly out?: string
}

function feedback({ what, file, format, out }: FeedbackFlags, parts: Parts, output: Output): Promise<void> {
  if (what === 'stats') return stats(parts, output)
  if (what === 'export') return exportRows(format, out, parts, output)
  if (what === 'import' && file) return importRows(file, format, parts, output)
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
    process.exitCode = 2
  }
} catch (error) {
  // cac throws for unknown options and missing arguments.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nRun \`hone --help\`.\n`)
  process.exitCode = 2
}
