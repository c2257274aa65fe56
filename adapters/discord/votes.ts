import type { ButtonInteraction, ModalSubmitInteraction, RepliableInteraction } from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import type { Bot } from '../../src/ports/bot.ts'
import type { BotTurn, DuelOutcome } from '../../src/ports/store.ts'
import type { Control } from '../shared/control.ts'
import { afterVote, correctionForm, reasonForm, reasons } from './controls.ts'
import { type Desk, noted, openForm, whisper } from './desk.ts'
import { parseRetry, placeOf } from './parse.ts'
import { channelOf, originOf } from './place.ts'
import { outcomeText, whyText } from './render.ts'

const thanksDown = '👎 Noted. Thank you.'

/** A press on a button under a reply. Every vote is on disk before it is acknowledged. */
export async function pressed(interaction: ButtonInteraction, { action, id }: Control, desk: Desk): Promise<void> {
  const { bot } = desk
  const { tenant, person } = placeOf(interaction)
  switch (action) {
    case 'up':
      await shownHere(interaction, [id], desk)
      await bot.feedback({ kind: 'vote', turn: id, verdict: 'up', tenant, person })
      return whisper(interaction, '👍 Thank you, noted.', afterVote(id, false))
    case 'down':
      await shownHere(interaction, [id], desk)
      await bot.feedback({ kind: 'vote', turn: id, verdict: 'down', tenant, person })
      return openForm(interaction, reasonForm(id), { text: thanksDown, row: afterVote(id, desk.answering) })
    case 'withdraw':
      await shownHere(interaction, [id], desk)
      await bot.feedback({ kind: 'vote', turn: id, verdict: 'none', tenant, person })
      return whisper(interaction, 'Your vote is withdrawn.')
    case 'correct':
      return openCorrection(interaction, id, desk)
    case 'retry':
      await bot.receive(parseRetry(interaction, await ownReply(interaction, id, desk)))
      return noted(interaction)
    case 'why':
      return sayWhy(interaction, id, desk)
    case 'stop':
      if (!desk.asking.has(id)) return whisper(interaction, 'That answer is over already.')
      if (desk.asking.get(id) !== person.id) return whisper(interaction, 'Only the one who asked can stop the answer.')
      bot.stop(id)
      return noted(interaction)
    default:
      return chosen(interaction, { action, id }, desk)
  }
}

const outcomes: Readonly<Record<string, DuelOutcome>> = {
  'duel-left': 'left',
  'duel-right': 'right',
  'duel-tie': 'tie',
  'duel-bad': 'both-bad',
}

async function chosen(interaction: ButtonInteraction, { action, id }: Control, desk: Desk): Promise<void> {
  const { bot } = desk
  const outcome = outcomes[action]
  if (!outcome) return
  const { tenant, person } = placeOf(interaction)
  const [left = '', right = ''] = id.split('.')
  await shownHere(interaction, [left, right], desk)
  await bot.feedback({ kind: 'duel', duel: id, outcome, tenant, person })
  const versions = await Promise.all([left, right].map(async (turn) => (await bot.why(turn)).turn.version))
  await whisper(interaction, outcomeText(outcome, versions[0] ?? '', versions[1] ?? ''))
}

/** A form that was sent: why a reply is bad, or what it should have said. */
export async function submitted(
  interaction: ModalSubmitInteraction,
  { action, id }: Control,
  desk: Desk,
): Promise<void> {
  const { bot } = desk
  const { tenant, person } = placeOf(interaction)
  const { fields } = interaction
  const better = fields.fields.has('better') ? fields.getTextInputValue('better').trim() : ''
  const chosenReason = fields.fields.has('reason') ? fields.getRadioGroup('reason') : null
  await shownHere(interaction, [id], desk)
  const reason = reasons.find((known) => known === chosenReason)
  if (action === 'down' && reason)
    await bot.feedback({ kind: 'vote', turn: id, verdict: 'down', reason, tenant, person })
  if (better) await bot.feedback({ kind: 'correction', turn: id, text: better, tenant, person })
  const thanks = better ? 'Your answer is kept as the better one. Thank you.' : thanksDown
  await whisper(interaction, thanks, action === 'down' ? afterVote(id, desk.answering) : undefined)
}

/** The form for a better answer, with the reply to start from. */
export async function openCorrection(
  interaction: Extract<RepliableInteraction, { showModal: unknown }>,
  id: string,
  desk: Desk,
): Promise<void> {
  const { text } = await ownReply(interaction, id, desk)
  await openForm(interaction, correctionForm(id, text), { text: 'That took too long. Press once more.' })
}

/** Where a reply came from, for the eyes of the one who asks. */
export async function sayWhy(interaction: RepliableInteraction, id: string, desk: Desk): Promise<void> {
  await ownReply(interaction, id, desk)
  await whisper(interaction, whyText(await desk.bot.why(id)))
}

/**
 * A reply that stands in the channel where it is spoken of. Who is in one channel may not see the next: a turn of
 * another channel is as unknown as one of another server.
 *
 * @throws HoneError FEEDBACK for any other.
 */
async function ownReply(
  interaction: Pick<RepliableInteraction, 'channelId' | 'guildId' | 'user'>,
  id: string,
  { bot }: Desk,
): Promise<BotTurn> {
  const { tenant, thread } = placeOf(interaction)
  const turn = await bot.store.turns.get(id)
  const known = turn?.role === 'assistant' && turn.tenant === tenant ? turn : undefined
  if (!known || !(known.thread === thread || (await isAskedIn(known, channelOf(thread), bot))))
    throw new HoneError('FEEDBACK', 'That reply is not known here.')
  return known
}

/** A thread that could not be opened for a question is answered where it was asked. */
async function isAskedIn({ parent }: BotTurn, channel: string, { store }: Bot): Promise<boolean> {
  const question = parent ? await store.turns.get(parent) : undefined
  return question?.role === 'user' && originOf(question.event)?.channel === channel
}

/** @throws HoneError FEEDBACK when one of the replies stands elsewhere. */
async function shownHere(interaction: RepliableInteraction, ids: readonly string[], desk: Desk): Promise<void> {
  await Promise.all(ids.map((id) => ownReply(interaction, id, desk)))
}
