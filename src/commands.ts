import type { Audit } from './audit.ts'
import { compareCommand } from './compare-command.ts'
import { counted } from './counted.ts'
import { awaitRun, versionOf } from './cut-short.ts'
import { HoneError } from './errors.ts'
import { concerns } from './id.ts'
import type { Logger } from './log.ts'
import { jobName, outcomeText } from './outcome.ts'
import { forgetMe, type PersonalParts, privacy, receipts } from './personal-commands.ts'
import type { CommandInfo, CommandReply, CommandRequest } from './ports/bot.ts'
import type { EngineSlot } from './ports/engine.ts'
import type { GateReport, Learning, TrainOptions, TrainPlan } from './ports/learning.ts'
import { canaryEnd } from './ports/live.ts'
import type { Job } from './ports/store.ts'
import { type MethodChoice, methodChoices } from './ports/trainer.ts'
import { profileCommand } from './profile-commands.ts'
import type { ProfileShelf } from './profiles.ts'
import { slotOf } from './slot.ts'
import { tuneCommand } from './tune-command.ts'
import { why } from './why.ts'

export interface CommandParts extends PersonalParts {
  readonly slot: EngineSlot
  readonly profiles: ProfileShelf
  /** Says something in a thread; false when nobody could be told. */
  readonly notice: (channel: string, thread: string, text: string) => Promise<boolean>
  /** Tells later what becomes of a canary. */
  readonly audit?: Audit | undefined
  readonly log: Logger
}

const lookedAt = 50

interface Command {
  readonly usage: string
  readonly help: string
  readonly admin: boolean
  readonly run: (words: readonly string[], request: CommandRequest, parts: CommandParts) => Promise<CommandReply>
}

/** Admin and user commands, written once, used by every channel. */
export const commands: Readonly<Record<string, Command>> = {
  help: { usage: 'help', help: 'this list', admin: false, run: help },
  status: { usage: 'status', help: 'what serves, what was learned, what runs', admin: false, run: status },
  retrain: {
    usage: `retrain [--dry-run] [--method ${methodChoices.join('|')}]`,
    help: 'train on the votes so far',
    admin: true,
    run: retrain,
  },
  compare: {
    usage: 'compare [ACTION] confirm',
    help: 'show: techniques side by side on held-out feedback; start: measure them',
    admin: true,
    run: compare,
  },
  'tune-prompt': {
    usage: 'tune-prompt [ACTION] [BUDGET] [--promote] confirm',
    help: 'show: the newest search for a better prompt; start: search one',
    admin: true,
    run: tunePrompt,
  },
  cancel: { usage: 'cancel', help: 'stop the run that is on', admin: true, run: cancel },
  versions: { usage: 'versions', help: 'every version and what the gate said', admin: false, run: versions },
  promote: { usage: 'promote VERSION', help: 'let a version serve', admin: true, run: promote },
  rollback: {
    usage: 'rollback',
    help: 'take back a canary, else go back to the version before',
    admin: true,
    run: rollback,
  },
  profile: {
    usage: 'profile list|show|diff|promote|rollback [PROFILE] confirm',
    help: 'what shapes replies besides the model',
    admin: true,
    run: (words, { person }, { profiles }) => profileCommand(words, person.id, profiles),
  },
  why: {
    usage: 'why [TURN]',
    help: 'why a reply says what it says (the newest here without TURN)',
    admin: false,
    run: ([turn], request, { bot }) => why(turn, request, bot),
  },
  receipts: {
    usage: 'receipts on|off',
    help: 'whether I am told, privately, when my vote changed an answer',
    admin: false,
    run: receipts,
  },
  privacy: { usage: 'privacy', help: 'what is kept and what is trained on', admin: false, run: privacy },
  'forget-me': {
    usage: 'forget-me confirm',
    help: 'delete what I wrote and every vote of mine',
    admin: false,
    run: forgetMe,
  },
}

/** The table as channels offer it. */
export const commandList: readonly CommandInfo[] = Object.entries(commands).map(([name, { usage, help, admin }]) => ({
  name,
  usage,
  help,
  admin,
}))

/**
 * Makes the command handler. Unknown commands and missing permissions are answers, not errors.
 *
 * @example await command({ text: 'status', admin: false, …where })
 */
export function createCommands(parts: CommandParts): (request: CommandRequest) => Promise<CommandReply> {
  return async function command(request) {
    const [name = 'help', ...words] = request.text.trim().split(/\s+/)
    const found = Object.hasOwn(commands, name || 'help') ? commands[name || 'help'] : undefined
    if (!found) return { ok: false, text: `There is no command \`${name.slice(0, 40)}\`. \`help\` lists them.` }
    if (found.admin && !request.admin)
      return { ok: false, text: `\`${name}\` is for admins. ${new HoneError('FORBIDDEN', '').help}` }
    try {
      return await found.run(words, request, parts)
    } catch (error) {
      if (!(error instanceof HoneError)) throw error
      return { ok: false, text: `${error.message} ${error.help}`, data: { code: error.code } }
    }
  }
}

async function help(_: readonly string[], { admin }: CommandRequest): Promise<CommandReply> {
  const shown = Object.values(commands).filter((command) => admin || !command.admin)
  return { ok: true, text: shown.map(({ usage, help: text }) => `- \`${usage}\`: ${text}`).join('\n') }
}

async function status(
  _: readonly string[],
  { tenant }: CommandRequest,
  { bot, slot, trainOn }: CommandParts,
): Promise<CommandReply> {
  const {
    version: { id: version },
    own,
  } = await slotOf(slot, tenant)
  const counts = await bot.store.feedback.counts(bot.learning?.tenants && tenant)
  const up = counts.reduce((sum, day) => sum + day.up, 0)
  const down = counts.reduce((sum, day) => sum + day.down, 0)
  const job = (await bot.store.jobs.list(lookedAt)).find((one) => concerns(one, tenant))
  // A tenant with a version of its own takes no part in it.
  const canary = own ? undefined : await bot.learning?.live?.canary()
  const last = job && { id: job.id, state: job.state }
  const became = await canaryEnd(job, bot.learning?.live)
  const data = { version, up, down, trainOn, job: last, ...(canary ? { canary } : {}) }
  const text = [
    ...(canary ? [`Canary **${canary.version}**${canary.held ? ', held for an admin' : ''}: ${canary.summary}.`] : []),
    `Version **${version}** serves. Votes: ${up} up, ${down} down.`,
    `Votes are trained on from: ${trainOn.join(', ') || 'no channel'}.`,
    job ? `Last ${jobName(job)}: ${became ?? `${job.state}.`}` : 'Nothing was trained yet.',
  ]
  return { ok: true, text: text.join('\n'), data }
}

async function retrain(words: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const learning = learningOf(parts)
  const options = { ...trainOptions(words), tenant: request.tenant }
  const plan = await learning.plan(options)
  if (words.includes('--dry-run') || plan.refusal) return { ok: !plan.refusal, text: planText(plan), data: plan }
  const job = await learning.start(request.person.id, options)
  await reportEnd(job, request, parts)
  return { ok: true, text: `Training has started: ${planText(plan)}`, data: job }
}

async function compare(words: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const { comparing } = learningOf(parts)
  if (!comparing) throw new HoneError('CONFIG', 'This bot runs without comparisons.')
  const advice = async () => (await comparing.last(request.tenant))?.advice.text ?? ''
  const started = (job: Job) => reportEnd(job, request, parts, advice)
  return compareCommand(words, { by: request.person.id, tenant: request.tenant, comparing, started })
}

async function tunePrompt(words: readonly string[], request: CommandRequest, parts: CommandParts) {
  const { tuning } = learningOf(parts)
  if (!tuning) throw new HoneError('CONFIG', 'This bot runs without a search for prompts.')
  const started = (job: Job) => reportEnd(job, request, parts, async () => (await tuning.last())?.text ?? '')
  return tuneCommand(words, { by: request.person.id, tuning, started })
}

/** Remembers, on disk too, that the thread wants to know how the run ends, and tells it then. */
async function reportEnd(
  job: Job,
  request: CommandRequest,
  parts: CommandParts,
  more: () => Promise<string> = async () => '',
): Promise<void> {
  const awaited = await awaitRun(job.id, request, parts.bot.store)
  void report(job, request, { ...parts, awaited, more })
}

/** Says in the thread that asked how the run ended. */
async function report(
  job: Job,
  { channel, thread, tenant }: CommandRequest,
  {
    bot,
    notice,
    audit,
    log,
    awaited,
    more,
  }: CommandParts & { readonly awaited: string; readonly more: () => Promise<string> },
): Promise<void> {
  try {
    let gate: GateReport | undefined
    for await (const event of bot.learning?.watch(undefined, tenant) ?? [])
      if (event.kind === 'gate') gate = event.report
    const ended = await bot.store.jobs.get(job.id)
    const text = ended && `${outcomeText(ended, gate)}\n${await more()}`.trimEnd()
    const told = text && (await notice(channel, thread, text))
    if (ended?.state === 'canary' && audit) await audit.wait({ version: versionOf(ended), event: awaited, thread })
    // Else it is told after the next start.
    else if (told) await bot.store.inbox.settle(awaited, 'answered')
  } catch (error) {
    log.warn('notice.failed', { error, job: job.id })
  }
}

/** The dry run in words. */
export function planText(plan: TrainPlan): string {
  const list = (rows: Readonly<Record<string, number>>) =>
    Object.entries(rows)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  const lines = [...(plan.why ? [plan.why] : []), `method ${plan.method}; rows: ${list(plan.rows) || 'none'}.`]
  if (Object.keys(plan.leftOut).length > 0) lines.push(`Left out: ${list(plan.leftOut)}.`)
  lines.push(...(plan.notes ?? []))
  lines.push(plan.refusal ?? `About ${Math.ceil(plan.secondsGuess)} seconds and ${Math.ceil(plan.memoryGuessMb)} MB.`)
  if (plan.memory) lines.push(plan.memory.summary)
  return lines.join('\n')
}

function trainOptions(words: readonly string[]): TrainOptions {
  const at = words.indexOf('--method')
  if (at < 0) return {}
  const method = words[at + 1] as MethodChoice
  if (!methodChoices.includes(method))
    throw new HoneError('INPUT', `--method is "${method}"; it must be one of ${methodChoices.join(', ')}.`)
  return { method }
}

async function cancel(_: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const stopped = await learningOf(parts).cancel(request.person.id, request.tenant)
  return {
    ok: stopped,
    text: stopped ? 'The run is being cancelled.' : 'No run is going on.',
  }
}

async function versions(_: readonly string[], { tenant }: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const all = await learningOf(parts).versions(tenant)
  const lines = all.map(({ id, serving, createdAt, pairs, gate, forgotten, pruned, canary }) =>
    [
      `- **${id}**${serving ? ' (serves)' : canary ? ' (canary)' : ''}`,
      createdAt.toISOString().slice(0, 16).replace('T', ' '),
      counted(pairs.length, 'pair'),
      gate ? `gate: ${gate.verdict}` : '',
      forgotten ? 'learned from feedback that was deleted since' : '',
      pruned ? 'its model was removed to save space' : '',
      canary?.summary ?? '',
    ]
      .filter(Boolean)
      .join(' · '),
  )
  // How many pairs, for anybody may ask; whose they are is for `why`, which looks at who asks.
  const data = all.map(({ pairs, ...version }) => ({ ...version, pairs: pairs.length }))
  return { ok: true, text: lines.join('\n') || 'Only the base model so far.', data }
}

async function promote(words: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const [version] = words
  if (!version) throw new HoneError('INPUT', 'Which version? For example: promote v2.')
  await learningOf(parts).promote(version, request.person.id, request.tenant)
  return { ok: true, text: `Version **${version}** serves now.` }
}

async function rollback(_: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const version = await learningOf(parts).rollback(request.person.id, request.tenant)
  return { ok: true, text: `Version **${version}** serves now.` }
}

function learningOf({ bot }: CommandParts): Learning {
  if (!bot.learning) throw new HoneError('CONFIG', 'This bot runs without training.')
  return bot.learning
}
