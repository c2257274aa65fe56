import type { ReplyEvent, Source } from '../../src/ports/channel.ts'

/** `later`: Hone is shutting down; the reply is told after the next start. */
export type Ending = Extract<ReplyEvent, { kind: 'done' | 'duel' | 'error' }> | { readonly kind: 'later' }

/** What is known of a reply while it is made: always the newest, however slowly Teams takes it. */
export interface Heard {
  readonly status: string
  readonly said: string
  readonly sources: readonly Source[]
  readonly end: Ending | undefined
  /** Resolves when something changes after this call, at once when the reply has ended. */
  changed(): Promise<void>
  /** Resolves with the ending; never rejects. */
  readonly ended: Promise<Ending>
}

const broken: Ending = {
  kind: 'error',
  code: 'ENGINE_FAILED',
  message: 'The reply broke off. Send your message again.',
}

/** Reads a reply to its end as fast as it comes, whatever becomes of telling it. */
export function listen(events: AsyncIterable<ReplyEvent>): Heard {
  let status = ''
  let said = ''
  let end: Ending | undefined
  const sources: Source[] = []
  let wake = Promise.withResolvers<void>()
  const take = (event: ReplyEvent | Ending): void => {
    if (event.kind === 'status') status = event.text
    else if (event.kind === 'delta') said += event.text
    else if (event.kind === 'source') sources.push(event.source)
    else end = event
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const read = async (): Promise<Ending> => {
    try {
      for await (const event of events) take(event)
    } catch {
      // The core has logged why.
      if (!end) take(broken)
    }
    if (!end) take({ kind: 'later' })
    return end as Ending
  }
  const ended = read()
  return {
    get status() {
      return status
    },
    get said() {
      return said
    },
    sources,
    get end() {
      return end
    },
    changed: () => (end ? Promise.resolve() : wake.promise),
    ended,
  }
}
