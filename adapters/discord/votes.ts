import type { ButtonInteraction, ModalSubmitInteraction, RepliableInteraction } from 'discord.js'
import { HoneError } from '../../src/errors.ts'
import type { BotTurn, DuelOutcome } from '../../src/ports/store.ts'
import type { Control } from '../shared/control.ts'
import { afterVote, correctionForm, reasonForm, reasons } from './controls.ts'
import { type Desk, whisper } from './desk.ts'
import { parseRetry, placeOf } from './parse.ts'
import { outcomeText, whyText } from './render.ts'

/** A press on a button under a reply. Every vote is on disk before it is acknowledged. */
export async function pressed(interaction: ButtonInteraction, { action, id }: Control, desk: Desk): Promise<void> {
  const { bot } = desk
  const { tenant, person } = placeOf(interaction)
  switch (action) {
    case 'up':
      await bot.feedback({ kind: 'vote', turn: id, verdict: 'up', tenant, person })
      return whisper(interaction, '👍 Thank you, noted.', afterVote(id, false))
    case 'down':
      await bot.feedback({ kind: 'vote', turn: id, verdict: 'down', tenant, person })
      return void (await interaction.showModal(reasonForm(id)))
    case 'withdraw':
      await bot.feedback({ kind: 'vote', turn: id, verdict: 'none', tenant, person })
      return whisper(interaction, 'Your vote is withdrawn.')
    case 'correct':
      return openCorrection(interaction, id, desk)
    case 'retry':
      await bot.receive(parseRetry(interaction, await ownReply(id, tenant, desk)))
      return void (await interaction.deferUpdate())
    case 'why':
      return sayWhy(interaction, id, desk)
    case 'stop':
      if (!desk.asking.has(id)) return whisper(interaction, 'That answer is over already.')
      if (desk.asking.get(id) !== person.id) return whisper(interaction, 'Only the one who asked can stop the answer.')
      bot.stop(id)
      return void (await interaction.deferUpdate())
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

async function chosen(interaction: ButtonInteraction, { action, id }: Control, { bot }: Desk): Promise<void> {
  const outcome = outcomes[action]
  if (!outcome) return
  const { tenant, person } = placeOf(interaction)
  await bot.feedback({ kind: 'duel', duel: id, outcome, tenant, person })
  const [left = '', right = ''] = id.split('.')
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
  const reason = reasons.find((known) => known === chosenReason)
  if (action === 'down' && reason)
    await bot.feedback({ kind: 'vote', turn: id, verdict: 'down', reason, tenant, person })
  if (better) await bot.feedback({ kind: 'correction', turn: id, text: better, tenant, person })
  const thanks = better ? 'Your answer is kept as the better one. Thank you.' : '👎 Noted. Thank you.'
  await whisper(interaction, thanks, action === 'down' ? afterVote(id, desk.answering) : undefined)
}

/** The form for a better answer, with the reply to start from. */
export async function openCorrection(
  interaction: Extract<RepliableInteraction, { showModal: unknown }>,
  id: string,
  desk: Desk,
): Promise<void> {
  const { text } = await ownReply(id, placeOf(interaction).tenant, desk)
  await interaction.showModal(correctionForm(id, text))
}

/** Where a reply came from, for the eyes of the one who asks. */
export async function sayWhy(interaction: RepliableInteraction, id: string, desk: Desk): Promise<void> {
  await ownReply(id, placeOf(interaction).tenant, desk)
  await whisper(interaction, whyText(await desk.bot.why(id)))
}

/** A reply of this tenant; others' are not even there. */
async function ownReply(id: string, tenant: string, { bot }: Desk): Promise<BotTurn> {
  const turn = await bot.store.turns.get(id)
  if (turn?.role !== 'assistant' || turn.tenant !== tenant)
    throw new HoneError('FEEDBACK', 'That reply is not known here.')
  return turn
}
