import { HoneError } from './errors.ts'
import type { Logger } from './log.ts'
import type { Bot, CommandInfo, CommandReply, CommandRequest } from './ports/bot.ts'
import type { EngineSlot } from './ports/engine.ts'
import type { GateCheck, GateReport, Learning, TrainOptions, TrainPlan } from './ports/learning.ts'
import type { Job } from './ports/store.ts'
import { type MethodChoice, methodChoices } from './ports/trainer.ts'

export interface CommandParts {
  readonly bot: Bot
  readonly slot: EngineSlot
  readonly notice: (channel: string, thread: string, text: string) => Promise<void>
  readonly trainOn: readonly string[]
  readonly onForget: (person: string) => Promise<unknown>
  readonly log: Logger
}

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
  cancel: { usage: 'cancel', help: 'stop the training run', admin: true, run: cancel },
  versions: { usage: 'versions', help: 'every version and what the gate said', admin: false, run: versions },
  promote: { usage: 'promote VERSION', help: 'let a version serve', admin: true, run: promote },
  rollback: { usage: 'rollback', help: 'go back to the version before', admin: true, run: rollback },
  why: {
    usage: 'why [TURN]',
    help: 'why a reply says what it says (the newest here without TURN)',
    admin: false,
    run: why,
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
  __: CommandRequest,
  { bot, slot, trainOn }: CommandParts,
): Promise<CommandReply> {
  const counts = await bot.store.feedback.counts()
  const up = counts.reduce((sum, day) => sum + day.up, 0)
  const down = counts.reduce((sum, day) => sum + day.down, 0)
  const [job] = await bot.store.jobs.list(1)
  const data = { version: slot.version.id, up, down, trainOn, job: job && { id: job.id, state: job.state } }
  const text = [
    `Version **${slot.version.id}** serves. Votes: ${up} up, ${down} down.`,
    `Votes are trained on from: ${trainOn.join(', ') || 'no channel'}.`,
    job ? `Last training run: ${job.state}.` : 'Nothing was trained yet.',
  ]
  return { ok: true, text: text.join('\n'), data }
}

async function retrain(words: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const learning = learningOf(parts)
  const options = trainOptions(words)
  const plan = await learning.plan(options)
  if (words.includes('--dry-run') || plan.refusal) return { ok: !plan.refusal, text: planText(plan), data: plan }
  const job = await learning.start(request.person.id, options)
  void report(job, request, parts)
  return { ok: true, text: `Training has started: ${planText(plan)}`, data: job }
}

/** Says in the thread that asked how the run ended. */
async function report(
  job: Job,
  { channel, thread }: CommandRequest,
  { bot, notice, log }: CommandParts,
): Promise<void> {
  try {
    let gate: GateReport | undefined
    for await (const event of bot.learning?.watch() ?? []) if (event.kind === 'gate') gate = event.report
    const ended = await bot.store.jobs.get(job.id)
    if (ended) await notice(channel, thread, outcomeText(ended, gate))
  } catch (error) {
    log.warn('notice.failed', { error, job: job.id })
  }
}

/** How a run ended, with the numbers that decided. */
export function outcomeText(job: Job, gate?: GateReport): string {
  const lines = [`Training run ${job.id}: **${job.state}**.`]
  lines.push(...checkLines(gate?.checks ?? []))
  const { error } = job.detail as { readonly error?: { readonly message: string; readonly help: string } }
  if (error) lines.push(`${error.message} ${error.help}`)
  return lines.join('\n')
}

/** The gate's checks, a line each. */
export function checkLines(checks: readonly GateCheck[]): readonly string[] {
  return checks.map(
    ({ pass, what, value, limit, n }) =>
      `- ${pass ? '✔' : '✖'} ${what}: ${Number(value.toPrecision(3))} (${limit}, n = ${n})`,
  )
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
  const stopped = await learningOf(parts).cancel(request.person.id)
  return { ok: stopped, text: stopped ? 'The training run is being cancelled.' : 'No training run is going on.' }
}

async function versions(_: readonly string[], __: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const all = await learningOf(parts).versions()
  const lines = all.map(({ id, serving, createdAt, pairs, gate, forgotten }) =>
    [
      `- **${id}**${serving ? ' (serves)' : ''}`,
      createdAt.toISOString().slice(0, 16).replace('T', ' '),
      `${pairs.length} pairs`,
      gate ? `gate: ${gate.verdict}` : '',
      forgotten ? 'learned from feedback that was deleted since' : '',
    ]
      .filter(Boolean)
      .join(' · '),
  )
  return { ok: true, text: lines.join('\n') || 'Only the base model so far.', data: all }
}

async function promote(words: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  const [version] = words
  if (!version) throw new HoneError('INPUT', 'Which version? For example: promote v2.')
  await learningOf(parts).promote(version, request.person.id)
  return { ok: true, text: `Version **${version}** serves now.` }
}

async function rollback(_: readonly string[], request: CommandRequest, parts: CommandParts): Promise<CommandReply> {
  return { ok: true, text: `Version **${await learningOf(parts).rollback(request.person.id)}** serves now.` }
}

async function why([turn]: readonly string[], request: CommandRequest, { bot }: CommandParts): Promise<CommandReply> {
  const last = (await bot.store.turns.history(request.thread, 20)).findLast((known) => known.role === 'assistant')
  const id = turn ?? last?.id
  if (!id) return { ok: false, text: 'There is no reply in this thread yet.' }
  const found = await bot.why(id)
  if (found.turn.tenant !== request.tenant) throw new HoneError('NOT_FOUND', `There is no reply ${id}.`)
  const people = new Set(found.pairs.flatMap((pair) => pair.people))
  const text = [
    `Reply ${found.turn.id}: version **${found.turn.version}**, profile ${found.turn.profile}.`,
    `Passages: ${found.turn.sources.map((source) => `[${source.number}] ${source.title}`).join(', ') || 'none'}.`,
    `Votes on it: ${found.votes.filter(({ verdict }) => verdict === 'up').length} up, ${found.votes.filter(({ verdict }) => verdict === 'down').length} down.`,
    found.pairs.length > 0
      ? `Its version learned from ${found.pairs.length} pairs of ${people.size} people.`
      : 'Its version was not trained on votes.',
  ]
  return { ok: true, text: text.join('\n'), data: found }
}

async function privacy(
  _: readonly string[],
  { channel }: CommandRequest,
  { trainOn }: CommandParts,
): Promise<CommandReply> {
  const trained = trainOn.includes(channel)
  return {
    ok: true,
    text: [
      'Kept on this machine: what you write, the replies, your votes and your corrections.',
      trained
        ? 'Your votes may train this bot’s own model, here, on this machine.'
        : 'Nothing from this channel is used for training.',
      '`forget-me confirm` deletes all of it.',
    ].join('\n'),
  }
}

async function forgetMe(
  [sure]: readonly string[],
  { person }: CommandRequest,
  { bot, onForget }: CommandParts,
): Promise<CommandReply> {
  if (sure !== 'confirm')
    return {
      ok: false,
      text: 'This deletes what you wrote and every vote of yours, for good. Say `forget-me confirm`.',
    }
  const rows = await bot.store.feedback.forget(person.id)
  await onForget(person.id)
  return {
    ok: true,
    text: `Deleted: ${rows} rows. The next training run starts from the base without them.`,
    data: { rows },
  }
}

function learningOf({ bot }: CommandParts): Learning {
  if (!bot.learning) throw new HoneError('CONFIG', 'This bot runs without training.')
  return bot.learning
}
