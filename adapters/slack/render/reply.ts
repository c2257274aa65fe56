import type { types } from '@slack/bolt'
import type { Reply, Source, TurnId } from '../../../src/ports/channel.ts'
import { type Control, encodeControl } from '../../shared/control.ts'
import { escaped, hostOf, mrkdwn, safeText, short } from './text.ts'

export type Block = types.KnownBlock
type Chunk = types.AnyChunk

/** Marks the message that carries the whole reply to an event, so that it is found again after a crash. */
export const doneMark = (event: string): string => `hone:done:${event}`.slice(0, 255)
/** Marks a message that is still being written. */
export const liveMark = (event: string): string => `hone:live:${event}`.slice(0, 255)

const plain = (text: string): types.PlainTextElement => ({ type: 'plain_text', text, emoji: true })

function button(control: Control, text: string, more: Partial<types.Button> = {}): types.Button {
  return {
    type: 'button',
    action_id: `hone:${control.action}`,
    text: plain(text),
    value: encodeControl(control),
    ...more,
  }
}

/**
 * Slack's own thumbs. For a host that answers itself: add them to its message.
 *
 * @example await say({ text, blocks: [{ type: 'markdown', text }, ...feedbackBlocks(turn)] })
 */
export function feedbackBlocks(turn: TurnId, mark?: string): Block[] {
  const up = encodeControl({ action: 'up', id: turn })
  const down = encodeControl({ action: 'down', id: turn })
  return [
    {
      type: 'context_actions',
      ...(mark ? { block_id: mark } : {}),
      elements: [
        {
          type: 'feedback_buttons',
          action_id: 'hone:feedback',
          positive_button: { text: plain('👍'), accessibility_label: 'A good answer', value: up },
          negative_button: { text: plain('👎'), accessibility_label: 'A bad answer', value: down },
        },
      ],
    },
  ]
}

/** What stands below a reply of the bot itself: the thumbs, and what else one may do. */
export function replyBlocks(turn: TurnId, mark: string): Block[] {
  const elements = [button({ action: 'retry', id: turn }, 'Try again'), button({ action: 'why', id: turn }, 'Why?')]
  return [...feedbackBlocks(turn, mark), { type: 'actions', elements }]
}

/** The same for Slacks that don't take `feedback_buttons`. */
export function plainReplyBlocks(turn: TurnId, mark?: string): Block[] {
  const elements = [
    button({ action: 'up', id: turn }, '👍', { accessibility_label: 'A good answer' }),
    button({ action: 'down', id: turn }, '👎', { accessibility_label: 'A bad answer' }),
    button({ action: 'retry', id: turn }, 'Try again'),
    button({ action: 'why', id: turn }, 'Why?'),
  ]
  return [{ type: 'actions', elements, ...(mark ? { block_id: mark } : {}) }]
}

export function duelBlocks(duel: string, mark: string): Block[] {
  const choice = (action: Control['action'], text: string) => button({ action, id: duel }, text)
  return [
    { type: 'section', text: { type: 'mrkdwn', text: 'Which answer is better?' } },
    {
      type: 'actions',
      block_id: mark,
      elements: [
        choice('duel-left', 'A is better'),
        choice('duel-right', 'B is better'),
        choice('duel-tie', 'Equally good'),
        choice('duel-bad', 'Both bad'),
      ],
    },
  ]
}

export function duelText(left: Reply, right: Reply): string {
  return `**A**\n\n${left.text}\n\n---\n\n**B**\n\n${right.text}`
}

export function stopBlocks(event: string): Block[] {
  const stop = event.length <= 80 ? [button({ action: 'stop', id: event }, 'Stop')] : []
  return stop.length > 0 ? [{ type: 'actions', block_id: liveMark(event), elements: stop }] : []
}

/** The passages that a reply cites, one line. */
export function sourceBlocks(sources: readonly Source[]): Block[] {
  if (sources.length === 0) return []
  const text = sources
    .map(({ number, title, url }) => {
      const name = short(escaped(title.replaceAll('|', '¦')), 200)
      return `[${number}] ${url && URL.canParse(url) ? `<${url}|${name}>` : name}`
    })
    .join('  ·  ')
  return [{ type: 'context', elements: [{ type: 'mrkdwn', text: short(text, 3000) }] }]
}

export function errorBlocks(message: string, mark: string): Block[] {
  return [
    { type: 'context', block_id: mark, elements: [{ type: 'mrkdwn', text: short(`⚠️ ${escaped(message)}`, 3000) }] },
  ]
}

export const markdown = (text: string): Block => ({ type: 'markdown', text })

/** Sections in the older markup, each within its limit. */
export function sections(parts: readonly string[]): Block[] {
  return parts.map((part) => ({ type: 'section', text: { type: 'mrkdwn', text: short(mrkdwn(part), 3000) } }))
}

/** The hosts that a reply may link to: those of its sources. */
export function sourceHosts(sources: readonly Source[]): ReadonlySet<string> {
  return new Set(sources.flatMap(({ url }) => (url ? [hostOf(url)] : [])).filter(Boolean))
}

/** One thing the bot does before it answers, shown as a task card. */
export interface Task {
  readonly id: string
  readonly title: string
  readonly done: boolean
  readonly sources: readonly Source[]
}

export function taskChunk({ id, title, done, sources }: Task): Chunk {
  const links = sources.flatMap(({ url, title: text }) =>
    url && URL.canParse(url) ? [{ type: 'url' as const, url, text: short(text, 200) }] : [],
  )
  const details = sources.filter(({ url }) => !url).map((source) => source.title)
  return {
    type: 'task_update',
    id,
    title: short(title, 250),
    status: done ? 'complete' : 'in_progress',
    ...(details.length > 0 ? { details: short(safeText(details.join(' · ')), 250) } : {}),
    ...(links.length > 0 ? { sources: links.slice(0, 10) } : {}),
  }
}

/** The tasks as one line, for messages that don't stream. */
export function taskLine(tasks: readonly Task[]): string {
  const last = tasks.at(-1)
  return last ? `_${safeText(last.title).replaceAll('_', ' ')} …_` : '_…_'
}
