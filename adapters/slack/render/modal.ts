import type { types } from '@slack/bolt'
import type { BotTurn } from '../../../src/ports/store.ts'
import { encodeControl } from '../../shared/control.ts'
import type { About } from '../parse/interaction.ts'
import { type Block, markdown } from './reply.ts'
import { safeText, short } from './text.ts'

export const correctModal = 'hone:correct'
const longestInput = 3000
const plain = (text: string): types.PlainTextElement => ({ type: 'plain_text', text })

/** Why a reply was no good, as far as a click can say it. */
export const reasons: Readonly<Record<string, string>> = {
  wrong: 'It is wrong',
  incomplete: 'Something is missing',
  'off-topic': 'It does not answer the question',
  sources: 'It cites the wrong documents',
  style: 'I don’t like how it is said',
}

export interface ModalOptions {
  readonly reasonAsked: boolean
  /** The bot can try again: it is no host's own answer. */
  readonly answers: boolean
}

/** Asks for a reason and a better answer; the reply itself stands there to be mended, where it fits. */
export function correctionModal(turn: BotTurn, about: About, { reasonAsked, answers }: ModalOptions): types.ModalView {
  const fits = turn.text.length <= longestInput
  const options = Object.entries(reasons).map(([value, text]) => ({ text: plain(text), value }))
  const reason: Block = {
    type: 'input',
    block_id: 'reason',
    optional: true,
    label: plain('What was wrong?'),
    element: { type: 'radio_buttons', action_id: 'reason', options },
  }
  const better: Block = {
    type: 'input',
    block_id: 'better',
    optional: true,
    label: plain('A better answer'),
    hint: plain(
      fits ? 'Change it to what the bot should have said, or leave it as it is.' : 'What the bot should have said.',
    ),
    element: {
      type: 'plain_text_input',
      action_id: 'better',
      multiline: true,
      max_length: longestInput,
      ...(fits ? { initial_value: turn.text } : {}),
    },
  }
  const again: Block = {
    type: 'actions',
    elements: [
      {
        type: 'button',
        action_id: 'hone:retry-here',
        text: plain('Try again'),
        value: encodeControl({ action: 'retry', id: turn.id }),
      },
    ],
  }
  return {
    ...modal(about, reasonAsked ? 'What was wrong?' : 'A better answer'),
    submit: plain('Send'),
    close: plain('Not now'),
    // Who only votes is thanked when they close it, and may still take the vote back.
    ...(reasonAsked ? { notify_on_close: true } : {}),
    blocks: reasonAsked ? [reason, better, ...(answers ? [again] : [])] : [better],
  }
}

/** What stands there once *Try again* was pressed in it. */
export function againModal(about: About): types.ModalView {
  const blocks = [markdown('A new answer is being written in the conversation.')]
  return { ...modal(about, 'Trying again'), close: plain('Close'), notify_on_close: true, blocks }
}

const modal = (about: About, title: string) => ({
  type: 'modal' as const,
  callback_id: correctModal,
  private_metadata: JSON.stringify(about),
  title: plain(title),
})

/** A remark only one person sees, with the means to take back what they said. */
export function thanksBlocks(text: string, turn?: string): Block[] {
  const said = markdown(safeText(short(text, 11_000)))
  if (!turn) return [said]
  const withdraw = {
    type: 'button' as const,
    action_id: 'hone:withdraw',
    text: plain('Withdraw my vote'),
    value: encodeControl({ action: 'withdraw', id: turn }),
  }
  return [said, { type: 'actions', elements: [withdraw] }]
}

/** The question before a command that changes something. */
export function confirmBlocks(command: string, text: string): Block[] {
  const run: types.Button = {
    type: 'button',
    action_id: 'hone:run',
    style: 'danger',
    text: plain('Yes, do it'),
    value: command.slice(0, 2000),
  }
  const no: types.Button = { type: 'button', action_id: 'hone:dismiss', text: plain('No'), value: 'no' }
  return [markdown(safeText(short(text, 11_000))), { type: 'actions', elements: [run, no] }]
}
