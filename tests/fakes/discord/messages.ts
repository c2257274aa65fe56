import { faultOf } from './check.ts'
import type { State } from './state.ts'
import { type ApiMessage, type Channel, messageFor } from './world.ts'

/** A request after its bucket was paid for. */
export interface Request {
  readonly params: readonly string[]
  readonly query: URLSearchParams
  readonly body: Record<string, unknown>
  readonly files: readonly { readonly filename: string; readonly bytes: Buffer }[]
}
export interface Response {
  readonly status: number
  readonly body?: unknown
}

export const ephemeral = 64

/** An error as Discord answers it. */
export function refusal(status: number, code: number, message: string): Response {
  return { status, body: { code, message } }
}
export const unknownChannel = refusal(404, 10003, 'Unknown Channel')
export const unknownMessage = refusal(404, 10008, 'Unknown Message')
export const invalid = (fault: string) => ({
  status: 400,
  body: { code: 50035, message: 'Invalid Form Body', errors: { fault } },
})

export const shown = (body: Request['body'], files: Request['files']) => ({
  content: String(body.content ?? ''),
  components: (body.components ?? []) as readonly unknown[],
  embeds: (body.embeds ?? []) as readonly unknown[],
  flags: Number(body.flags ?? 0),
  attachments: files,
  ...(body.poll ? { poll: body.poll } : {}),
})

/** Puts a message of the bot into a channel. */
export function newMessage(state: State, channel: Channel, more: Partial<ApiMessage>): ApiMessage {
  const message: ApiMessage = {
    id: state.world.snowflake(),
    channel_id: channel.id,
    author: state.world.bot,
    timestamp: new Date().toISOString(),
    type: 0,
    mentions: [],
    content: '',
    components: [],
    embeds: [],
    attachments: [],
    flags: 0,
    edits: 0,
    ...more,
  }
  channel.messages.push(message)
  if (!(message.flags & ephemeral)) state.dispatch('MESSAGE_CREATE', message, channel.guild?.id)
  return message
}

/** Changes a message of the bot as a request says. */
export function change(message: ApiMessage | undefined, { body, files }: Request, state: State): Response {
  if (!message) return unknownMessage
  const fault = faultOf('message', body)
  if (fault) return invalid(fault)
  const { content, components, embeds } = body
  if (content !== undefined) message.content = String(content ?? '')
  if (components !== undefined) message.components = (components ?? []) as readonly unknown[]
  if (embeds !== undefined) message.embeds = (embeds ?? []) as readonly unknown[]
  if (files.length > 0) message.attachments = files
  message.edits += 1
  return { status: 200, body: messageFor(state.world, message, true) }
}
