import { HoneError } from './errors.ts'
import type { Bot, CommandReply, CommandRequest } from './ports/bot.ts'
import type { BotTurn, ToolCall, Turn } from './ports/store.ts'

/**
 * Why a reply says what it says: the one that is named, else the newest of the thread.
 *
 * @throws HoneError NOT_FOUND for a reply that the person can't see; whether there is one is not told.
 */
export async function why(named: string | undefined, request: CommandRequest, bot: Bot): Promise<CommandReply> {
  const { turns } = bot.store
  const history = await turns.history(request.thread, 20)
  const newest = history.at(-1)
  const failed = newest && (await unansweredText(newest, bot))
  if (!named && failed) return failed
  const id = named ?? history.findLast(({ role }) => role === 'assistant')?.id
  if (!id) return { ok: false, text: 'There is no reply in this thread yet.' }
  const asked = await turns.get(id)
  if (!asked || !(await canSee(asked, request, bot))) throw new HoneError('NOT_FOUND', `There is no reply ${id}.`)
  const unanswered = await unansweredText(asked, bot)
  if (unanswered) return unanswered
  const { turn, votes, pairs, promptText } = await bot.why(id)
  const count = (wanted: string) => votes.filter(({ verdict }) => verdict === wanted).length
  const people = new Set(pairs.flatMap((pair) => pair.people))
  const own = pairs.filter((pair) => pair.people.includes(request.person.id)).length
  const text = [
    ...explanationLines(turn),
    `Reply ${turn.id}: version **${turn.version}**, profile ${turn.profile}.`,
    `Passages: ${turn.sources.map((source) => `[${source.number}] ${source.title}`).join(', ') || 'none'}.`,
    ...(turn.tools ? [`Tools: ${toolsText(turn.tools)}.`] : []),
    `Votes on it: ${count('up')} up, ${count('down')} down.`,
    pairs.length > 0
      ? `Its version learned from ${pairs.length} pairs of ${people.size} people.${own > 0 ? ` You are behind ${own} of the pairs.` : ''}`
      : 'Its version was not trained on votes.',
  ]
  return { ok: true, text: text.join('\n'), data: { turn, promptText, votes, pairs } }
}

/** A message that got no reply though tools ran for it. */
async function unansweredText(turn: Turn, { store }: Bot): Promise<CommandReply | undefined> {
  const tools = turn.role === 'user' ? await store.calls.of(turn.event) : []
  if (tools.length === 0) return undefined
  const text = `Message ${turn.id} got no reply. Tools that ran for it all the same: ${toolsText(tools)}.`
  return { ok: true, text, data: { turn, tools } }
}

function toolsText(tools: readonly ToolCall[]): string {
  return tools.map(({ name, state }) => `${name} (${state})`).join(', ')
}

/** What is kept for training alone is told to who runs the machine only. */
function explanationLines({ explanation }: BotTurn): readonly string[] {
  return explanation && explanation.show !== 'hidden' ? [`${explanation.text}\n`] : []
}

/**
 * A turn of the thread where it is asked, of a thread that everybody there can read, or of one that the person wrote
 * in. An admin sees no more: who runs the machine has `hone why`.
 */
async function canSee({ tenant, thread }: Turn, request: CommandRequest, { store }: Bot): Promise<boolean> {
  if (tenant !== request.tenant) return false
  if (thread === request.thread || request.sees?.(thread)) return true
  return store.turns.wroteIn(thread, request.person.id)
}
