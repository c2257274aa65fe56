import type { Reply, Source } from '../../src/ports/channel.ts'
import type { Outgoing } from './sdk.ts'

export interface Look {
  /** `default`: Teams's own form. `custom`: reasons to choose from and a better answer. */
  readonly feedback: 'default' | 'custom'
  /** Shown as the sensitivity label of every reply, for example `Internal`. */
  readonly sensitivity?: { readonly name: string; readonly description: string }
}

/** Buttons above the box a person writes in. What they say is sent as the person's own words. */
export const suggestions = [
  ['Try again', 'Try again'],
  ['Shorter', 'Please say that again, shorter.'],
  ['Sources', 'Sources'],
] as const

const citationsShown = 20

/** A reply as its final message: text, AI label, citations to hover over, Teams's own thumbs, suggestions. */
export function replyMessage(reply: Reply, look: Look, person?: string): Outgoing {
  return {
    ...plainMessage(reply.text),
    entities: [aiEntity(reply.sources, look)],
    channelData: { feedbackLoop: { type: look.feedback } },
    ...(person ? { suggestedActions: suggestedActions(person) } : {}),
  }
}

/** Text that is no reply: no label, no thumbs. */
export function plainMessage(text: string): Outgoing {
  return { type: 'message', text: withoutImages(text), textFormat: 'markdown' }
}

/**
 * Text whose images are links. Clients fetch an image as soon as they show it, so an address that a document talked the
 * model into would carry away what was said. The longer text of a growing reply still begins with the shorter one.
 */
function withoutImages(text: string): string {
  return text.replaceAll('![', '! [').replace(/<(?=img\b)/gi, '&lt;')
}

/** The entity that makes Teams show *AI generated*, the citations and the sensitivity label. */
export function aiEntity(sources: readonly Source[], { sensitivity }: Pick<Look, 'sensitivity'>): object {
  const citation = sources.slice(0, citationsShown).map(citationOf)
  return {
    type: 'https://schema.org/Message',
    '@type': 'Message',
    '@context': 'https://schema.org',
    '@id': '',
    additionalType: ['AIGeneratedContent'],
    ...(citation.length > 0 ? { citation } : {}),
    ...(sensitivity ? { usageInfo: { '@type': 'CreativeWork', '@id': '', ...sensitivity } } : {}),
  }
}

function citationOf({ number, title, text, url }: Source): object {
  return {
    '@type': 'Claim',
    position: number,
    appearance: {
      '@type': 'DigitalDocument',
      name: shortened(title, 80),
      abstract: shortened(text.replace(/\s+/g, ' ').trim(), 160),
      ...(url?.startsWith('https://') ? { url } : {}),
    },
  }
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).trimEnd()}…`
}

function suggestedActions(person: string): object {
  return {
    to: [person],
    actions: suggestions.map(([title, value]) => ({ type: 'imBack', title, value })),
  }
}

/** The sources of a reply, for people who want to read them and not hover. */
export function sourcesText(sources: readonly Source[]): string {
  if (sources.length === 0) return 'That reply cites no source.'
  return sources
    .map(({ number, title, text, url }) => {
      const name = url?.startsWith('https://') ? `[${title}](${url})` : `**${title}**`
      return `${number}. ${name}\n\n   ${shortened(text.replace(/\s+/g, ' ').trim(), 600)}`
    })
    .join('\n')
}

/** Which part of a stream an activity is. `id` is absent on the first one: Teams's answer to that names the stream. */
export interface StreamPart {
  readonly id?: string
  readonly sequence: number
}

/** A line that says what is being done; Teams shows at most 1000 characters of it. */
export function informative(text: string, part: StreamPart): Outgoing {
  return streamed(text.slice(0, 1000), 'informative', part)
}

/** All of the reply so far. */
export function partial(text: string, part: StreamPart): Outgoing {
  return streamed(text, 'streaming', part)
}

function streamed(text: string, streamType: string, { id, sequence }: StreamPart): Outgoing {
  const info = { streamType, streamSequence: sequence, ...(id ? { streamId: id } : {}) }
  return { type: 'typing', text: withoutImages(text), entities: [{ type: 'streaminfo', ...info }], channelData: info }
}

/** Makes a message the last one of a stream. */
export function final(message: Outgoing, id: string): Outgoing {
  const info = { streamType: 'final', streamId: id }
  return {
    ...message,
    entities: [{ type: 'streaminfo', ...info }, ...((message['entities'] as object[] | undefined) ?? [])],
    channelData: { ...(message['channelData'] as object | undefined), ...info },
  }
}

/**
 * As much of a growing text as will stay as it is: whole words, and no link, bold or code that is still open in its last
 * line. Teams refuses a stream in which a later text does not begin with the earlier one, so open marks can't be closed
 * for the time being; they are held back.
 *
 * @example settled('See **the hand') // 'See '
 */
export function settled(text: string): string {
  const words = text.slice(0, Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n')) + 1)
  const start = words.lastIndexOf('\n') + 1
  const line = words.slice(start)
  const open = ['**', '__', '`'].map((mark) => openAt(line, mark))
  const link = /\[[^\]]*$|\[[^\]]*\]\([^)]*$/.exec(line)?.index
  const cut = Math.min(...[...open, link].filter((at) => at !== undefined), line.length)
  return words.slice(0, start + cut)
}

function openAt(line: string, mark: string): number | undefined {
  const count = line.split(mark).length - 1
  return mark === '`' && line.startsWith('```') ? undefined : count % 2 === 1 ? line.lastIndexOf(mark) : undefined
}
