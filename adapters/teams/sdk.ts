/**
 * The few members of a Bot Framework SDK that Hone uses. botbuilder's and @microsoft/agents-hosting's own types fit
 * them, so neither is imported here.
 */
export interface Activity {
  readonly type: string
  readonly id?: string
  readonly name?: string
  readonly text?: string
  readonly replyToId?: string
  readonly channelId?: string
  readonly serviceUrl?: string
  readonly from?: Account
  readonly recipient?: Account
  readonly conversation?: Conversation
  readonly value?: unknown
  readonly channelData?: unknown
  readonly entities?: readonly unknown[]
  readonly timestamp?: unknown
}
export interface Account {
  readonly id: string
  readonly name?: string
  readonly aadObjectId?: string
  /** Of people from another organisation. */
  readonly tenantId?: string
  readonly role?: string
}
export interface Conversation {
  readonly id: string
  readonly conversationType?: string
  readonly tenantId?: string
}

/** Whether all that Hone reads as text is text, or absent: an activity is JSON from outside, whatever an SDK's types say. */
export function isReadable({ id, name, text, replyToId, channelId, serviceUrl, ...rest }: Activity): boolean {
  const { from, recipient, conversation } = rest
  const accounts = [from, recipient].flatMap((one) => [one?.id, one?.name, one?.aadObjectId])
  const texts = [id, name, text, replyToId, channelId, serviceUrl, conversation?.id, conversation?.conversationType]
  return [...texts, ...accounts].every((one: unknown) => one === undefined || one === null || typeof one === 'string')
}

/** What is sent: plain JSON. */
export type Outgoing = { readonly type: string } & Readonly<Record<string, unknown>>

/** Sees what is about to be sent. Each SDK has classes of its own for these. */
type SendHandler = (
  context: object,
  activities: object[],
  next: () => Promise<{ id: string }[]>,
) => Promise<{ id: string }[]>

export interface TurnContext {
  readonly activity: object
  readonly adapter: object
  readonly turnState: { get(key: never): unknown }
  sendActivity(activity: string | object): Promise<{ id?: string } | undefined>
  updateActivity(activity: object): Promise<unknown>
  onSendActivities(handler: SendHandler): unknown
}

/** Where and to whom to go on talking, as both SDKs understand it. */
export interface ConversationReference {
  readonly channelId: string
  readonly serviceUrl: string
  readonly conversation: Conversation & { readonly isGroup: boolean }
  readonly bot: Account
  readonly agent: Account
  readonly user?: Account
}

type Logic = (context: TurnContext) => Promise<void>
interface Adapter {
  readonly ConnectorClientKey?: unknown
  readonly BotIdentityKey?: unknown
  continueConversationAsync?(app: string, reference: object, logic: Logic): Promise<void>
  continueConversation?(app: unknown, reference: object, logic: Logic): Promise<void>
}

/**
 * Runs `logic` in a turn of its own in a conversation that is known already, after the HTTP request has ended.
 * An error of `logic` is thrown here, not into the host's `onTurnError`.
 */
export async function proactively<T>(
  adapter: object,
  app: string,
  reference: ConversationReference,
  logic: (context: TurnContext) => Promise<T>,
): Promise<T> {
  const { continueConversationAsync, continueConversation } = adapter as Adapter
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined
  const run = async (context: TurnContext): Promise<void> => {
    // The SDK invents an id for the turn, and would send every message as a reply to it.
    delete (context.activity as { id?: string }).id
    outcome = await logic(context).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
  }
  if (continueConversationAsync) await continueConversationAsync.call(adapter, app, reference, run)
  // Without an app id (local testing) agents-hosting wants an identity that names nobody.
  else await continueConversation?.call(adapter, app || {}, reference, run)
  if (!outcome) throw new Error('The SDK did not run the turn.')
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** What the SDK's authentication found out about who sent an activity. */
export interface Claims {
  /** False: the SDK let it in because authentication is switched off. */
  readonly authenticated: boolean
  readonly issuer?: string
  readonly audience?: string
  readonly serviceUrl?: string
}

/** The claims of the token that came with this turn; neither SDK puts them where the other does. */
export function claimsOf(context: TurnContext): Claims {
  const key = (context.adapter as Adapter).BotIdentityKey
  const botbuilder = key === undefined ? undefined : context.turnState.get(key as never)
  const claim = botbuilder ? claimReader(botbuilder) : fieldReader((context as { identity?: unknown }).identity)
  const [issuer, audience, serviceUrl] = [claim('iss'), claim('aud'), claim('serviceurl')]
  return {
    authenticated: audience !== undefined,
    ...(issuer ? { issuer } : {}),
    ...(audience ? { audience } : {}),
    ...(serviceUrl ? { serviceUrl } : {}),
  }
}

type Reader = (name: string) => string | undefined

function claimReader(identity: object): Reader {
  const claims = (identity as { claims?: { type: string; value: unknown }[] }).claims ?? []
  return (name) => text(claims.find(({ type }) => type === name)?.value)
}

function fieldReader(identity: unknown): Reader {
  return (name) => text((identity as Record<string, unknown> | undefined)?.[name])
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Why Teams refused a call. */
export interface Refusal {
  /** 0: Teams was not reached. */
  readonly status: number
  readonly text: string
  readonly retryAfterMs?: number
}

/** Reads status and text from the error of either SDK. */
export function refusalOf(error: unknown): Refusal {
  const { statusCode, status, response, body, details, message } = (error ?? {}) as Record<string, unknown>
  const answer = response as { data?: unknown; bodyAsText?: unknown; headers?: unknown } | undefined
  const said = [message, body, details, answer?.data, answer?.bodyAsText]
    .map((part) => (typeof part === 'string' ? part : part === undefined ? '' : JSON.stringify(part)))
    .join(' ')
  const code = typeof statusCode === 'number' ? statusCode : typeof status === 'number' ? status : 0
  const seconds = Number(header(answer?.headers, 'retry-after') ?? Number.NaN)
  return { status: code, text: said, ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}) }
}

/** An error as it may be logged: those of the SDKs carry the whole request, with what people wrote and with tokens. */
export function loggable(error: unknown): { readonly status: number; readonly reason: string } {
  const { name = '', message = String(error) } = (error ?? {}) as Partial<Error>
  return { status: refusalOf(error).status, reason: `${name}: ${message}`.slice(0, 300) }
}

function header(headers: unknown, name: string): unknown {
  if (typeof (headers as Headers | undefined)?.get === 'function') return (headers as Headers).get(name)
  return (headers as Record<string, unknown> | undefined)?.[name]
}
