import { z } from 'zod'
import { HoneError } from '../../src/errors.ts'
import type { InboundMessage, InboundRetry } from '../../src/ports/channel.ts'
import type { Session } from './session.ts'

/** Longest message, in characters. */
export const messageLimit = 8000

const eventId = z.string().regex(/^[\w-]{8,64}$/, 'The form is out of date. Reload the page and send again.')
const written = (what: string) =>
  z
    .string()
    .transform((text) => text.replace(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .min(1, `${what} is empty. Write something first.`)
        .max(messageLimit, {
          error: ({ input }) =>
            `${what} has ${(input as string).length.toLocaleString('en')} characters; at most ${messageLimit.toLocaleString('en')} fit. Shorten it, or send it in parts.`,
        }),
    )

const count = z.coerce.number('It must be a number.').int('It must be a whole number.')

const forms = {
  message: z.object({ event: eventId, text: written('The message') }),
  retry: z.object({ event: eventId }),
  stop: z.object({ event: eventId }),
  vote: z.object({ verdict: z.enum(['up', 'down', 'none']), reason: z.string().trim().max(200).optional() }),
  correction: z.object({ text: written('The answer') }),
  duel: z.object({ outcome: z.enum(['left', 'right', 'tie', 'both-bad']), left: z.string(), right: z.string() }),
  name: z.object({
    name: z.string().trim().min(1, 'The name is empty.').max(60, 'The name is longer than 60 letters.'),
  }),
  replay: z.object({
    profile: z
      .string()
      .transform((text) => text.replace(/\r\n?/g, '\n'))
      .pipe(
        z.string().min(1, 'The candidate is empty.').max(100_000, 'The candidate is longer than 100,000 characters.'),
      ),
    threads: count,
    turns: count,
    minutes: count,
    age: z.enum(['', '1', '7', '30']),
    first: z.enum(['recent', 'voted']),
    tenant: z.string().max(200).optional(),
  }),
  promotion: z.object({ id: z.string().min(1).max(100) }),
  version: z.object({ version: z.string().min(1).max(100) }),
  login: z.object({ token: z.string().min(1, 'The token is empty.').max(500) }),
} as const

/** What each form holds once it is checked. */
export type Forms = { readonly [Name in keyof typeof forms]: z.infer<(typeof forms)[Name]> }

/**
 * Checks a form.
 *
 * @throws HoneError INPUT that says in words what is wrong
 */
export function parseForm<Name extends keyof Forms>(name: Name, body: Readonly<Record<string, unknown>>): Forms[Name] {
  const result = forms[name].safeParse(body)
  if (result.success) return result.data as Forms[Name]
  const issue = result.error.issues[0]
  throw new HoneError(
    'INPUT',
    issue?.code === 'invalid_type'
      ? `The field ${issue.path.join('.')} is missing.`
      : (issue?.message ?? 'The form is not valid.'),
  )
}

/** A person's thread by its name in the URL; the owner is part of the id, so nobody can name another's thread. */
export function threadId(session: Session, name: string): string {
  return `web:${session.pid}:${name}`
}

/** The event id of a client-made id; namespaced, so that one browser can't use up the ids of another. */
export function eventOf(session: Session, id: string): string {
  return `web:${session.pid}:${id}`
}

/** The name of a thread in URLs, or null when it is somebody else's. */
export function threadName(session: Session, thread: string): string | null {
  const prefix = threadId(session, '')
  return thread.startsWith(prefix) ? thread.slice(prefix.length) : null
}

/** The event of a message that was sent on the page. */
export function messageEvent(session: Session, thread: string, form: Forms['message'], at: Date): InboundMessage {
  return { kind: 'message', text: form.text, ...inbound(session, thread, form.event, at) }
}

/** The event of *Try again*. */
export function retryEvent(
  session: Session,
  thread: string,
  turn: string,
  form: Forms['retry'],
  at: Date,
): InboundRetry {
  return { kind: 'retry', turn, ...inbound(session, thread, form.event, at) }
}

function inbound(session: Session, thread: string, event: string, at: Date) {
  const { person, admin } = session
  const who = { person, ...(admin ? { admin } : {}) }
  return { id: eventOf(session, event), channel: 'web', tenant: 'web', thread, ...who, scopes: [], at }
}
