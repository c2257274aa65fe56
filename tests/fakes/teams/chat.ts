import { oneMoment } from '../../../adapters/teams/render.ts'
import type { Connector, Shown } from './connector.ts'
import type { Host } from './hosts.ts'
import { appId } from './issuer.ts'
import { streamInfo } from './rules.ts'

export const tenant = 'a1b2c3d4-0000-4000-8000-000000000001'
const users = { Anna: 'aad-anna', Ben: 'aad-ben' } as const

export interface ChatOptions {
  readonly conversation?: string
  readonly kind?: 'personal' | 'groupChat' | 'channel'
  readonly who?: keyof typeof users
  readonly tenant?: string
}

/** A person with a Teams client: what they do becomes an activity with a token, what they see comes from the connector. */
export interface Chat {
  readonly conversation: string
  readonly thread: string
  readonly personId: string
  /** Posts an activity; `change` is laid over it. */
  post(change: Record<string, unknown>, token?: string): Promise<Response>
  /** Says something, with a mention of the bot outside of personal chats. */
  say(text: string, id?: string): Promise<Response>
  vote(message: string, reaction: 'like' | 'dislike', form?: object): Promise<Response>
  invoke(name: string, value: object, replyToId?: string): Promise<Response>
  press(card: string, verb: string, data: object): Promise<Response>
  shown(): readonly Shown[]
  /** Resolves with the newest message once it is complete. */
  answered(): Promise<Shown>
}

let events = 0

export function openChat(host: Pick<Host, 'fetch'>, connector: Connector, options: ChatOptions = {}): Chat {
  const { conversation = 'a:anna', kind = 'personal', who = 'Anna' } = options
  const home = options.tenant ?? tenant
  const base = {
    channelId: 'msteams',
    serviceUrl: connector.url,
    from: { id: `29:${who}`, name: who, aadObjectId: users[who] },
    recipient: { id: `28:${appId}`, name: 'Hone' },
    conversation: {
      id: conversation,
      conversationType: kind,
      tenantId: home,
      ...(kind === 'personal' ? {} : { isGroup: true }),
    },
    channelData: { tenant: { id: home } },
  }
  const chat: Chat = {
    conversation,
    thread: `teams:${home}:${conversation}`,
    personId: `teams:${home}:${users[who]}`,
    post(change, token = connector.issuer.token()) {
      const body = JSON.stringify({ ...base, id: `e${++events}`, ...change })
      const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }
      return host.fetch(new Request('http://127.0.0.1/api/messages', { method: 'POST', headers, body }))
    },
    say(text, id = `e${++events}`) {
      if (kind === 'personal') return chat.post({ type: 'message', text, id })
      const mention = { type: 'mention', text: '<at>Hone</at>', mentioned: base.recipient }
      return chat.post({ type: 'message', text: `<at>Hone</at> ${text}`, entities: [mention], id })
    },
    vote: (message, reaction, form = { feedbackText: '' }) =>
      chat.invoke(
        'message/submitAction',
        { actionName: 'feedback', actionValue: { reaction, feedback: JSON.stringify(form) } },
        message,
      ),
    invoke: (name, value, replyToId) => chat.post({ type: 'invoke', name, value, ...(replyToId ? { replyToId } : {}) }),
    press: (card, verb, data) =>
      chat.invoke('adaptiveCard/action', { action: { type: 'Action.Execute', verb, data }, trigger: 'manual' }, card),
    shown: () => connector.messages(conversation),
    async answered() {
      await connector.until(() => isComplete(chat.shown().at(-1)))
      return chat.shown().at(-1) as Shown
    },
  }
  return chat
}

/** Whether a message is whole: no stream that still grows, and no line that will be edited into it. */
export function isComplete(message: Shown | undefined): boolean {
  if (message?.activity.type !== 'message' || message.activity.text === oneMoment) return false
  const type = streamInfo(message.activity)?.streamType
  return type === undefined || type === 'final'
}
