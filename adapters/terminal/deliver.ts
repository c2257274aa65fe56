import type { Channel, Inbound, MessageRef, Reply, ReplyEvent } from '../../src/ports/channel.ts'
import { failed } from './once.ts'
import { duelText, errorText, type Paint, plain, sourceLines, whyLine } from './render.ts'

/** How one reply ended. */
export type Ending =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'duel'; readonly id: string; readonly left: Reply; readonly right: Reply }
  | { readonly kind: 'nothing' }

export interface DeliverOptions {
  readonly write: (text: string) => void
  readonly paint: Paint
  /** Status lines are for people who wait, not for a pipe. */
  readonly statuses: boolean
  readonly ended: (event: Inbound, ending: Ending) => void
}

/** The channel that writes replies to a terminal as they are made. */
export function terminalChannel(options: DeliverOptions): Channel {
  const shown = new Map<string, readonly MessageRef[]>()
  return {
    name: 'terminal',
    duels: true,
    async deliver(event, events) {
      const known = shown.get(event.id)
      const silent = known !== undefined
      const ending = await follow(events, silent ? { ...options, write: () => undefined } : options)
      const refs = known ?? [{ thread: event.thread, id: event.id }]
      shown.set(event.id, refs)
      if (!silent) options.ended(event, ending)
      return refs
    },
    async notice(_thread, text) {
      options.write(`\n${plain(text)}\n`)
    },
    async tell(_person, text) {
      options.write(`\n${plain(text)}\n`)
      return true
    },
  }
}

async function follow(events: AsyncIterable<ReplyEvent>, options: DeliverOptions): Promise<Ending> {
  let streamed = false
  let ending: Ending = { kind: 'nothing' }
  try {
    for await (const event of events) {
      if (event.kind === 'delta') streamed = true
      ending = endingOf(event) ?? ending
      options.write(textOf(event, streamed, options))
    }
  } catch {
    // The core logs what went wrong; a person needs to know only that there is no more to come.
    options.write(`\n${errorText(failed('ENGINE_FAILED', 'The reply broke off.'), options.paint)}`)
  }
  return ending
}

function endingOf(event: ReplyEvent): Ending | undefined {
  if (event.kind === 'done') return { kind: 'reply', reply: event.reply }
  if (event.kind === 'duel') return { kind: 'duel', id: event.duel, left: event.left, right: event.right }
  return undefined
}

function textOf(event: ReplyEvent, streamed: boolean, { paint, statuses }: DeliverOptions): string {
  const gap = streamed ? '\n' : ''
  switch (event.kind) {
    case 'status':
      return statuses && !streamed ? `${paint('dim', plain(event.text))}\n` : ''
    case 'source':
      return ''
    case 'delta':
      return plain(event.text)
    case 'done':
      return `${streamed ? '' : plain(event.reply.text)}\n${sourceLines(event.reply.sources, paint)}${whyLine(event.reply, paint)}`
    case 'duel':
      return `${gap}${duelText(event.left, event.right, paint)}`
    case 'error':
      return `${gap}${errorText(failed(event.code, event.message), paint)}`
  }
}
