import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  type APIModalInteractionResponseCallbackData,
  ButtonStyle,
  ComponentType,
  TextInputStyle,
} from 'discord.js'
import type { TurnId } from '../../src/ports/channel.ts'
import { type Control, encodeControl } from '../shared/control.ts'

export type Row = APIActionRowComponent<APIButtonComponentWithCustomId>

function button(control: Control, emoji: string, label?: string): APIButtonComponentWithCustomId {
  return {
    type: ComponentType.Button,
    style: ButtonStyle.Secondary,
    custom_id: encodeControl(control),
    emoji: { name: emoji },
    ...(label ? { label } : {}),
  }
}

function row(...components: APIButtonComponentWithCustomId[]): Row {
  return { type: ComponentType.ActionRow, components }
}

/** 👍 👎 🔁 ✏️ under a reply. */
export function feedbackButtons(id: TurnId): Row {
  return row(
    button({ action: 'up', id }, '👍'),
    button({ action: 'down', id }, '👎'),
    button({ action: 'retry', id }, '🔁'),
    button({ action: 'correct', id }, '✏️'),
  )
}

/** Without *try again*, which only Hone's own replies have. */
export function observedButtons(id: TurnId): Row {
  const { components, type } = feedbackButtons(id)
  return { type, components: components.filter(({ custom_id }) => !custom_id.includes(':retry:')) }
}

export function duelButtons(id: string): Row {
  return row(
    button({ action: 'duel-left', id }, '🅰️', 'A is better'),
    button({ action: 'duel-right', id }, '🅱️', 'B is better'),
    button({ action: 'duel-tie', id }, '🤝', 'A tie'),
    button({ action: 'duel-bad', id }, '👎', 'Both bad'),
  )
}

export function stopButton(event: string): Row {
  return row(button({ action: 'stop', id: event }, '⏹️', 'Stop'))
}

/** What may follow a vote. */
export function afterVote(id: TurnId, tryAgain: boolean): Row {
  const withdraw = button({ action: 'withdraw', id }, '↩️', 'Withdraw my vote')
  if (!tryAgain) return row(withdraw)
  return row(button({ action: 'retry', id }, '🔁', 'Try again'), withdraw)
}

/** Reasons for a 👎, as they are kept. */
export const reasons = ['Wrong', 'Incomplete', 'Not what I asked', 'Badly put', 'Harmful'] as const

const longestInput = 4000

/** The form behind 👎. The vote is kept before it opens, so closing it loses nothing. */
export function reasonForm(id: TurnId): APIModalInteractionResponseCallbackData {
  return {
    custom_id: encodeControl({ action: 'down', id }),
    title: 'What was wrong?',
    components: [
      {
        type: ComponentType.Label,
        label: 'Reason',
        component: {
          type: ComponentType.RadioGroup,
          custom_id: 'reason',
          required: false,
          options: reasons.map((reason) => ({ label: reason, value: reason })),
        },
      },
      betterField(false),
    ],
  }
}

/** The form behind ✏️, with the reply to start from. */
export function correctionForm(id: TurnId, text: string): APIModalInteractionResponseCallbackData {
  const start = text.length <= longestInput ? text : ''
  return {
    custom_id: encodeControl({ action: 'correct', id }),
    title: 'Suggest a better answer',
    components: [betterField(true, start)],
  }
}

function betterField(required: boolean, value = '') {
  return {
    type: ComponentType.Label as const,
    label: 'A better answer',
    description: 'What the reply should have said.',
    component: {
      type: ComponentType.TextInput as const,
      custom_id: 'better',
      style: TextInputStyle.Paragraph,
      max_length: longestInput,
      required,
      ...(value ? { value } : {}),
    },
  }
}
