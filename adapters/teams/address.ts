import type { Activity, ConversationReference } from './sdk.ts'

export type Kind = 'personal' | 'groupChat' | 'channel'

/** All that is needed to go on talking in a conversation. */
export interface Address {
  readonly tenant: string
  readonly conversation: string
  readonly kind: Kind
  readonly serviceUrl: string
  readonly bot: string
  /** Teams's id of the person who last wrote there. */
  readonly person?: string
}

/** The endpoint that Microsoft names for messages into conversations of which only the id is known. */
export const globalService = 'https://smba.trafficmanager.net/teams/'
const kept = 10_000

/** The thread of a conversation; a thread of a Teams channel is a conversation of its own (`…;messageid=…`). */
export function threadOf({ tenant, conversation }: Pick<Address, 'tenant' | 'conversation'>): string {
  return `teams:${tenant}:${conversation}`
}

/** Whether two threads are of one Teams channel, whose people can read both. */
export function sameChannel(one: string, other: string): boolean {
  const channelOf = (thread: string) => thread.replace(/;messageid=.*$/s, '')
  return channelOf(one) === channelOf(other)
}

/**
 * Every tenant that an activity names: the conversation's first, then where the event and who wrote belong. They differ
 * where a conversation is shared with another organisation.
 */
export function tenantsOf({
  conversation,
  channelData,
  from,
}: Pick<Activity, 'conversation' | 'channelData' | 'from'>) {
  const { tenant } = (channelData ?? {}) as { tenant?: { id?: unknown } | null }
  const named: readonly unknown[] = [conversation?.tenantId, tenant?.id, from?.tenantId]
  return named.filter((id) => id !== undefined && id !== null)
}

/** Where an activity came from; undefined when it says too little to answer it. */
export function addressOf(activity: Activity): Address | undefined {
  const { conversation, serviceUrl, recipient, from } = activity
  const [tenant] = tenantsOf(activity)
  if (!conversation?.id || !serviceUrl || !recipient?.id || typeof tenant !== 'string' || !/^[\w.-]+$/.test(tenant))
    return undefined
  return {
    tenant,
    conversation: conversation.id,
    kind: kindOf(conversation.id, conversation.conversationType),
    serviceUrl,
    bot: recipient.id,
    ...(from?.id ? { person: from.id } : {}),
  }
}

function kindOf(id: string, type?: string): Kind {
  if (type === 'personal' || type === 'groupChat' || type === 'channel') return type
  if (id.startsWith('a:')) return 'personal'
  return /@thread\.(tacv2|skype)/.test(id) ? 'channel' : 'groupChat'
}

export function referenceOf(address: Address): ConversationReference {
  const { tenant, conversation, kind, serviceUrl, bot, person } = address
  return {
    channelId: 'msteams',
    serviceUrl,
    conversation: { id: conversation, conversationType: kind, tenantId: tenant, isGroup: kind !== 'personal' },
    bot: { id: bot },
    agent: { id: bot },
    ...(person ? { user: { id: person } } : {}),
  }
}

export interface Addresses {
  learn(address: Address): void
  /** The address of a thread: as learned, or, after a restart, made from the thread's own id. */
  find(thread: string): Address | undefined
}

/** Remembers where conversations live. What it forgets can be made again from the thread's id. */
export function createAddresses(app: () => string, service = globalService): Addresses {
  const known = new Map<string, Address>()
  return {
    learn(address) {
      const thread = threadOf(address)
      known.delete(thread)
      known.set(thread, address)
      const [oldest] = known.keys()
      if (known.size > kept && oldest !== undefined) known.delete(oldest)
    },
    find(thread) {
      const learned = known.get(thread)
      if (learned) return learned
      const [, tenant, conversation] = /^teams:([^:]+):(.+)$/s.exec(thread) ?? []
      if (!tenant || !conversation) return undefined
      return { tenant, conversation, kind: kindOf(conversation), serviceUrl: service, bot: `28:${app()}` }
    },
  }
}
