import type { types } from '@slack/bolt'
import type { Reply, Source, TurnId } from '../../../src/ports/channel.ts'
import { type Control, encodeControl } from '../../shared/control.ts'
import { splitText } from '../../shared/split.ts'
import { escaped, linkAddress, mrkdwn, safeText, short } from './text.ts'

export type Block = types.KnownBlock
type Chunk = types.AnyChunk

/** Marks the message that carries the whole reply to an event, so that it is found again after a crash. */
export const doneMark = (event: string): string => `hone:done:${event}`.slice(0, 255)
/** Marks a message that is still being written. */
export const liveMark = (event: string): string => `hone:live:${event}`.slice(0, 255)
/** Marks a message that is whole, of a reply that goes on in the next one. */
export const partMark = (event: string): string => `hone:part:${event}`.slice(0, 255)
/** The id of a task card, which marks the message it stands in: a stream takes no other mark before its end. */
export const taskMark = (event: string, task: string): string => `${liveMark(event)}#${task}`

const plain = (text: string): types.PlainTextElement => ({ type: 'plain_text', text, emoji: true })

/** Older markup in which Slack links and rings nothing that is not marked so: for names that others gave. */
export const asItIs = (text: string): types.MrkdwnElement => ({ type: 'mrkdwn', text, verbatim: true })

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
  return stop.length > 0 ? [{ type: 'actions', block_id: 'hone:stop', elements: stop }] : []
}

/** The passages that a reply cites, one line. */
export function sourceBlocks(sources: readonly Source[]): Block[] {
  if (sources.length === 0) return []
  let text = ''
  for (const { number, title, url } of sources) {
    const name = escaped(short(title.replaceAll('|', '¦'), 200))
    const address = url && linkAddress(url)
    const next = `${text ? `${text}  ·  ` : ''}[${number}] ${address ? `<${address}|${name}>` : name}`
    // A link that is cut in the middle is none.
    if (next.length > longestSection) break
    text = next
  }
  return [{ type: 'context', elements: [asItIs(text)] }]
}

export function errorBlocks(message: string, mark: string): Block[] {
  return [{ type: 'context', block_id: mark, elements: [asItIs(short(`⚠️ ${escaped(message)}`, 3000))] }]
}

export const markdown = (text: string, mark?: string): Block => ({
  type: 'markdown',
  text,
  ...(mark ? { block_id: mark } : {}),
})

/** Most characters of a section's text. */
const longestSection = 3000

/** Markdown in parts that each fit a section in the older markup, where escapes make it longer. */
export function sectionParts(text: string, most = 2500): string[] {
  return splitText(text, most).flatMap((part) =>
    mrkdwn(part).length <= longestSection ? [part] : sectionParts(part, Math.ceil(part.length / 2)),
  )
}

/** A section in the older markup. */
export function section(part: string, mark?: string): Block {
  const text = short(mrkdwn(part), longestSection)
  return { type: 'section', ...(mark ? { block_id: mark } : {}), text: { type: 'mrkdwn', text } }
}

/** One thing the bot does before it answers, shown as a task card. */
export interface Task {
  readonly id: string
  readonly title: string
  readonly done: boolean
  readonly sources: readonly Source[]
}

export function taskChunk({ id, title, done, sources }: Task, event: string): Chunk {
  const links = sources.flatMap(({ url, title: text }) =>
    url && linkAddress(url) ? [{ type: 'url' as const, url, text: short(text, 200) || url }] : [],
  )
  const details = sources.filter(({ url }) => !(url && linkAddress(url))).map((source) => source.title)
  return {
    type: 'task_update',
    id: taskMark(event, id),
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
