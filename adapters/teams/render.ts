import type { Reply, Source } from '../../src/ports/channel.ts'
import { hostsOf, onlyLinksTo, outsideCode } from '../shared/links.ts'
import type { Outgoing } from './sdk.ts'

export interface Look {
  /** `default`: Teams's own form. `custom`: reasons to choose from and a better answer. */
  readonly feedback: 'default' | 'custom'
  /** Shown as the sensitivity label of every reply, for example `Internal`. */
  readonly sensitivity?: { readonly name: string; readonly description: string }
}

/**
 * Buttons above the box a person writes in. What they say is sent as the person's own words. *Shorter* is a message like any
 * other: siblings answer the very same prompt, so a reply that was asked to be short is none. In so few words it is
 * searched together with the question before it.
 */
export const suggestions = [
  ['Try again', 'Try again'],
  ['Shorter', 'The same, but shorter.'],
  ['Sources', 'Sources'],
] as const

const citationsShown = 20

/** A reply as its final message: text, AI label, citations to hover over, Teams's own thumbs, suggestions. */
export function replyMessage(
  reply: Reply,
  look: Look,
  { person, hosts = hostsOf(reply.sources) }: { readonly person?: string | undefined; readonly hosts?: Hosts } = {},
): Outgoing {
  return {
    ...madeMessage(reply, look, hosts),
    channelData: { feedbackLoop: { type: look.feedback } },
    ...(person ? { suggestedActions: suggestedActions(person) } : {}),
  }
}

/** A part of a reply: AI label and the citations in it; the thumbs are under the last part. */
export function madeMessage({ text, sources }: Pick<Reply, 'text' | 'sources'>, look: Look, hosts: Hosts): Outgoing {
  const cited = sources.filter(({ number }) => text.includes(`[${number}]`))
  return { ...plainMessage(text, hosts), entities: [aiEntity(cited, look)] }
}

/** Hosts that links may lead to: those of the sources. */
export type Hosts = ReadonlySet<string>

/** Text that is no reply: no label, no thumbs; links lead to the given hosts only. */
export function plainMessage(text: string, hosts: Hosts = new Set()): Outgoing {
  return { type: 'message', text: safeText(text, hosts), textFormat: 'markdown' }
}

/**
 * Text without images and tags, and with links to the given hosts only. Clients fetch an image as soon as they show it, and people
 * follow links, so an address that a document talked the model into would carry away what was said. The longer text of a
 * growing reply still begins with the shorter one.
 */
export function safeText(text: string, hosts: Hosts = new Set()): string {
  const plain = outsideCode(text.replaceAll('![', '! ['), (words) => words.replace(/<(?=[a-z!/?])/gi, '&lt;'))
  return onlyLinksTo(hosts, plain)
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
      const words = title.replace(/[[\]()]/g, ' ')
      const name = url?.startsWith('https://') ? `[${words}](${url})` : `**${words}**`
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
  return streamed(safeText(text.slice(0, 1000)), 'informative', part)
}

/** All of the reply so far. */
export function partial(text: string, part: StreamPart, hosts?: Hosts): Outgoing {
  return streamed(safeText(text, hosts), 'streaming', part)
}

/** Begins the stream of a message that is whole already, by its text. */
export function opening(message: Outgoing): Outgoing {
  return streamed(textOf(message), 'streaming', { sequence: 1 })
}

/** Teams takes no part of a stream without text; a card has its summary. */
function textOf({ text, summary }: Outgoing): string {
  return String(text ?? summary)
}

/** Stands where a message will be. */
export const oneMoment = 'One moment …'

function streamed(text: string, streamType: string, { id, sequence }: StreamPart): Outgoing {
  const info = { streamType, streamSequence: sequence, ...(id ? { streamId: id } : {}) }
  return { type: 'typing', text, entities: [{ type: 'streaminfo', ...info }], channelData: info }
}

/** Makes a message the last one of a stream. */
export function final(message: Outgoing, id: string): Outgoing {
  const info = { streamType: 'final', streamId: id }
  return {
    ...message,
    text: textOf(message),
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
  const held = [
    openAt(line, '**'),
    openAt(line, '__'),
    /^ {0,3}```/.test(line) ? 0 : outsideCode(line, (told) => told.replaceAll('`', '\0')).indexOf('\0'),
    line.search(/\[[^\]]*$|\[[^\]]*\]\([^)]*$/),
  ].filter((at) => at >= 0)
  // Never within an address.
  return held.length === 0 ? words : words.slice(0, start + Math.min(...held)).replace(/\S+$/, '')
}

function openAt(line: string, mark: string): number {
  return line.split(mark).length % 2 === 0 ? line.lastIndexOf(mark) : -1
}
