import type { Place } from './place.ts'
import type { Block, Task } from './render/reply.ts'

/** A reply as far as it has come. */
export interface View {
  /** Safe to show, and only ever longer the next time. */
  readonly text: string
  readonly tasks: readonly Task[]
}

/** A reply when it is whole. */
export interface Final {
  readonly text: string
  readonly tasks: readonly Task[]
  /** What stands below the text: sources, thumbs. */
  readonly blocks: readonly Block[]
  /** The same for Slacks that refuse those. */
  readonly plainBlocks: readonly Block[]
}

/** Where and for whom a reply is written, and what of it stands in Slack already. Shared by all ways of writing it. */
export interface Draft {
  readonly place: Place
  readonly user: string
  /** Id of the event that is answered. */
  readonly event: string
  /** Time stamps of the messages so far. */
  readonly messages: string[]
  /** The last message is whole: what comes now stands in a new one. */
  finished: boolean
  /** Characters of the text that stand in earlier messages. */
  base: number
  /** What the last message begins with besides: the fence of a code block, or the head of a table, that was cut. */
  prefix: string
  /** Slack was told that the bot is no longer at work. */
  sessionEnded: boolean
}

/** One way of writing a reply into Slack. Whatever it throws, the next way takes over from the same draft. */
export interface Surface {
  /** Resolves when something may be shown. Called before every `show`. */
  turn(): Promise<void>
  show(view: View): Promise<void>
  end(final: Final): Promise<void>
}

/** Most characters of a message; Slack takes 12,000. */
export const longestMessage = 11_000

/** Where a text is cut to begin a new message: after a paragraph, a line or a word. */
export function cutAt(text: string, from: number): number {
  const end = from + longestMessage
  if (text.length <= end) return text.length
  const piece = text.slice(from, end)
  for (const gap of ['\n\n', '\n', ' ']) {
    const at = piece.lastIndexOf(gap)
    if (at > longestMessage / 2) return from + at + gap.length
  }
  return end
}

/** The line that opened the code block which a text ends in; empty outside of code. */
export function openFence(text: string): string {
  let open = ''
  for (const [line] of text.matchAll(/^ {0,3}```.*$/gm)) open = open ? '' : line.trim()
  return open
}

const endsInTable = /(?:^|\n)(\|.*\n *\|[ :|-]+\n)(?:\|.*\n)*$/

/** What a new message has to begin with where a text is cut: the fence of its code block, the head of its table. */
function reopening(before: string, after: string): string {
  const fence = openFence(before)
  if (fence) return `${fence}\n`
  return after.startsWith('|') ? (endsInTable.exec(before)?.[1] ?? '') : ''
}

/** What closes a message that ends there: the end of a code block that was cut. */
export function closing(draft: Draft, text: string, upTo: number): string {
  return openFence(draft.prefix + text.slice(draft.base, upTo)) ? '\n```' : ''
}

/** The message that was written to stands whole in Slack: the text from here on belongs to a new one. */
export function turnOver(draft: Draft, text: string, upTo: number): void {
  draft.prefix = reopening(draft.prefix + text.slice(draft.base, upTo), text.slice(upTo))
  draft.base = upTo
  draft.finished = true
}
