import { type APIMessage, type RawFile, type REST, type RESTPatchAPIChannelMessageJSONBody, Routes } from 'discord.js'
import { createPace, type Pace } from './pace.ts'

/** What may stand in a message; Discord's own JSON. */
export type Content = RESTPatchAPIChannelMessageJSONBody

export interface Sent {
  readonly id: string
  readonly content: string
}

/** Sends and changes messages without any cache, so on every shard and for events of an earlier process alike. */
export interface Api {
  /** The same nonce again, within minutes, is the same message. */
  post(channel: string, content: Content, how?: { readonly nonce?: string; readonly replyTo?: string }): Promise<Sent>
  edit(channel: string, message: string, content: Content, files?: readonly RawFile[]): Promise<Sent>
  remove(channel: string, message: string): Promise<void>
  typing(channel: string): Promise<void>
  /** The channel of the direct messages with somebody. */
  direct(user: string): Promise<string>
  /** Opens the thread of a message, whose id it then has; one that is open already is as good. */
  openThread(channel: string, message: string, name: string): Promise<void>
  /** The bot's own messages after a moment, oldest first. */
  ownSince(channel: string, snowflake: string, me: string): Promise<readonly APIMessage[]>
  /** Changes what answers an interaction: its first message (`@original`) or a later one. */
  editAnswer(token: string, message: string, content: Content): Promise<Sent>
  addAnswer(token: string, content: Content): Promise<Sent>
  /** How fast edits may come that can wait. */
  readonly pace: Pace
}

type Request = Parameters<REST['queueRequest']>[0]

/** @param application id of the application, for interactions. @param processes how many share the bot's limit. */
export function createApi(rest: REST, application: () => string, processes = 1): Api {
  const pace: Pace = createPace(rest.options.globalRequestsPerSecond / processes)
  const call = async <T>(request: Request, key?: string): Promise<T> => {
    const response = await rest.queueRequest(request)
    if (key) pace.note(key, response.headers)
    return (response.status === 204 ? undefined : await response.json()) as T
  }
  const to = (method: 'POST' | 'PATCH' | 'DELETE' | 'GET', fullRoute: string, more: Partial<Request> = {}): Request =>
    ({ method, fullRoute, ...more }) as Request
  return {
    post: (channel, content, { nonce, replyTo } = {}) =>
      call(
        to('POST', Routes.channelMessages(channel), {
          body: {
            ...content,
            ...(nonce ? { nonce, enforce_nonce: true } : {}),
            ...(replyTo ? { message_reference: { message_id: replyTo, fail_if_not_exists: false } } : {}),
          },
        }),
      ),
    edit: (channel, message, content, files = []) =>
      call(to('PATCH', Routes.channelMessage(channel, message), { body: content, files: [...files] }), channel),
    remove: (channel, message) => call(to('DELETE', Routes.channelMessage(channel, message))),
    typing: (channel) => call(to('POST', Routes.channelTyping(channel))),
    async direct(user) {
      const { id } = await call<{ readonly id: string }>(
        to('POST', Routes.userChannels(), { body: { recipient_id: user } }),
      )
      return id
    },
    async openThread(channel, message, name) {
      try {
        await call(to('POST', Routes.threads(channel, message), { body: { name, auto_archive_duration: 1440 } }))
      } catch (error) {
        if (codeOf(error) !== threadExists) throw error
      }
    },
    async ownSince(channel, snowflake, me) {
      const query = new URLSearchParams({ after: snowflake, limit: '100' })
      const found = await call<APIMessage[]>(to('GET', Routes.channelMessages(channel), { query }))
      return found.filter(({ author }) => author.id === me).toReversed()
    },
    editAnswer: (token, message, content) =>
      call(to('PATCH', Routes.webhookMessage(application(), token, message), { body: content, auth: false }), token),
    addAnswer: (token, content) =>
      call(to('POST', Routes.webhook(application(), token), { body: content, auth: false }), token),
    pace,
  }
}

const threadExists = 160_004

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
