import { faultOf } from './check.ts'
import type { Interaction, State } from './state.ts'
import { type ApiMessage, type Channel, channelPayload, messageFor } from './world.ts'

/** A request after its bucket was paid for. */
export interface Request {
  readonly params: readonly string[]
  readonly query: URLSearchParams
  readonly body: Record<string, unknown>
  readonly files: readonly { readonly filename: string; readonly bytes: number }[]
}
export interface Response {
  readonly status: number
  readonly body?: unknown
}
type Handler = (request: Request, state: State) => Response
export interface Route {
  readonly method: string
  readonly path: RegExp
  readonly bucket: 'sends' | 'edits' | 'others' | 'interaction'
  readonly run: Handler
}

const ephemeral = 64

/** An error as Discord answers it. */
export function refusal(status: number, code: number, message: string): Response {
  return { status, body: { code, message } }
}
const unknownChannel = refusal(404, 10003, 'Unknown Channel')
const unknownMessage = refusal(404, 10008, 'Unknown Message')
const invalid = (fault: string) => ({
  status: 400,
  body: { code: 50035, message: 'Invalid Form Body', errors: { fault } },
})

export const routes: readonly Route[] = [
  { method: 'GET', path: /^\/gateway\/bot$/, bucket: 'others', run: gateway },
  {
    method: 'GET',
    path: /^\/users\/@me$/,
    bucket: 'others',
    run: (_, { world }) => ({ status: 200, body: world.bot }),
  },
  { method: 'GET', path: /^\/applications\/@me$/, bucket: 'others', run: application },
  { method: 'GET', path: /^\/applications\/\d+\/commands$/, bucket: 'others', run: commands },
  { method: 'PUT', path: /^\/applications\/\d+\/commands$/, bucket: 'others', run: setCommands },
  { method: 'GET', path: /^\/channels\/(\d+)$/, bucket: 'others', run: channel },
  { method: 'POST', path: /^\/channels\/(\d+)\/messages$/, bucket: 'sends', run: send },
  { method: 'GET', path: /^\/channels\/(\d+)\/messages$/, bucket: 'others', run: list },
  { method: 'PATCH', path: /^\/channels\/(\d+)\/messages\/(\d+)$/, bucket: 'edits', run: edit },
  { method: 'DELETE', path: /^\/channels\/(\d+)\/messages\/(\d+)$/, bucket: 'others', run: remove },
  { method: 'POST', path: /^\/channels\/(\d+)\/typing$/, bucket: 'others', run: typing },
  { method: 'POST', path: /^\/channels\/(\d+)\/messages\/(\d+)\/threads$/, bucket: 'others', run: thread },
  { method: 'POST', path: /^\/interactions\/(\d+)\/([^/]+)\/callback$/, bucket: 'interaction', run: callback },
  { method: 'PATCH', path: /^\/webhooks\/\d+\/([^/]+)\/messages\/(@original|\d+)$/, bucket: 'edits', run: editAnswer },
  { method: 'POST', path: /^\/webhooks\/\d+\/([^/]+)$/, bucket: 'edits', run: followUp },
]

function gateway(_: Request, state: State): Response {
  const { identifies, gatewayUrl, maxConcurrency, world } = state
  const session_start_limit = {
    total: 1000,
    remaining: identifies.left,
    reset_after: 14_400_000,
    max_concurrency: maxConcurrency,
  }
  const shards = Math.max(1, Math.ceil(world.guilds.length / 1000))
  return { status: 200, body: { url: gatewayUrl, shards, session_start_limit } }
}

function application(_: Request, { world, application: { flags, owner, team } }: State): Response {
  return { status: 200, body: { id: world.bot.id, name: 'Hazel', flags, owner, team, bot: world.bot } }
}

function commands(_: Request, state: State): Response {
  return { status: 200, body: state.commands.get('global') ?? [] }
}

function setCommands({ body }: Request, state: State): Response {
  const fault = faultOf('commands', body)
  if (fault) return invalid(fault)
  const set = (body as unknown as readonly Record<string, unknown>[]).map((one) => ({
    ...one,
    id: state.world.snowflake(),
    version: state.world.snowflake(),
    application_id: state.world.bot.id,
  }))
  state.commands.set('global', set)
  return { status: 200, body: set }
}

/** The channel, unless the bot may not see it. */
function seen({ params: [id = ''] }: Request, { world }: State): Channel | Response {
  const found = world.channels.get(id)
  if (!found) return unknownChannel
  return found.denied.has('view') ? refusal(403, 50001, 'Missing Access') : found
}

function channel(request: Request, state: State): Response {
  const found = seen(request, state)
  return 'status' in found ? found : { status: 200, body: channelPayload(found) }
}

function send(request: Request, state: State): Response {
  const { world } = state
  const found = seen(request, state)
  if ('status' in found) return found
  if (found.denied.has('send')) return refusal(403, 50013, 'Missing Permissions')
  const { body, files } = request
  const fault = faultOf('message', body)
  if (fault) return invalid(fault)
  const { content, embeds, nonce, enforce_nonce: enforced, message_reference: reference } = body
  if (!content && !(embeds as unknown[] | undefined)?.length && files.length === 0)
    return invalid('Cannot send an empty message')
  const twin = enforced && nonce ? found.messages.find((one) => one.nonce === nonce) : undefined
  if (twin) return { status: 200, body: messageFor(world, twin, true) }
  const target = (reference as { message_id: string } | undefined)?.message_id
  const to = found.messages.find(({ id }) => id === target)
  const message = newMessage(state, found, {
    ...shown(body, files),
    ...(typeof nonce === 'string' ? { nonce } : {}),
    ...(to ? { type: 19, message_reference: { message_id: to.id, channel_id: found.id } } : {}),
  })
  return { status: 200, body: messageFor(world, message, true) }
}

const shown = (body: Request['body'], files: Request['files']) => ({
  content: String(body.content ?? ''),
  components: (body.components ?? []) as readonly unknown[],
  embeds: (body.embeds ?? []) as readonly unknown[],
  flags: Number(body.flags ?? 0),
  attachments: files,
})

/** Puts a message of the bot into a channel. */
function newMessage(state: State, channel: Channel, more: Partial<ApiMessage>): ApiMessage {
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

function list(request: Request, state: State): Response {
  const found = seen(request, state)
  if ('status' in found) return found
  if (found.denied.has('history')) return { status: 200, body: [] }
  const after = BigInt(request.query.get('after') ?? 0)
  const limit = Number(request.query.get('limit') ?? 50)
  const visible = found.messages.filter(({ id, flags }) => BigInt(id) > after && !(flags & ephemeral)).slice(0, limit)
  return { status: 200, body: visible.toReversed().map((one) => messageFor(state.world, one, state.contentIntent)) }
}

function change(message: ApiMessage | undefined, { body, files }: Request, state: State): Response {
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

function edit(request: Request, state: State): Response {
  const found = seen(request, state)
  if ('status' in found) return found
  const message = found.messages.find(({ id }) => id === request.params[1])
  if (message && message.author.id !== state.world.bot.id)
    return refusal(403, 50005, 'Cannot edit a message of another')
  return change(message, request, state)
}

function remove(request: Request, state: State): Response {
  const found = seen(request, state)
  if ('status' in found) return found
  const at = found.messages.findIndex(({ id }) => id === request.params[1])
  if (at < 0) return unknownMessage
  found.messages.splice(at, 1)
  return { status: 204 }
}

function typing(request: Request, state: State): Response {
  const found = seen(request, state)
  if ('status' in found) return found
  state.typing.push(found.id)
  return { status: 204 }
}

function thread(request: Request, state: State): Response {
  const found = seen(request, state)
  if ('status' in found) return found
  const id = request.params[1] ?? ''
  if (!found.messages.some((message) => message.id === id)) return unknownMessage
  if (state.world.channels.has(id)) return refusal(400, 160004, 'A thread has already been created for this message')
  const made = state.world.thread(found, id, String(request.body.name))
  state.dispatch('THREAD_CREATE', { ...channelPayload(made), newly_created: true }, made.guild?.id)
  return { status: 201, body: channelPayload(made) }
}

function interactionOf(state: State, token: string): Interaction | Response {
  const found = state.interactions.get(token)
  if (!found) return refusal(404, 10015, 'Unknown Webhook')
  const old = Date.now() - found.madeAt > state.interaction.tokenMs
  return old ? refusal(401, 50027, 'Invalid Webhook Token') : found
}

/** The first answer to an interaction: 4 a message, 5 later, 6 nothing, 7 a change, 8 choices, 9 a form. */
function callback({ params, body, files }: Request, state: State): Response {
  const found = interactionOf(state, params[1] ?? '')
  if ('status' in found) return found
  if (found.answer) return refusal(400, 40060, 'Interaction has already been acknowledged.')
  if (Date.now() - found.madeAt > state.interaction.answerMs) return refusal(404, 10062, 'Unknown interaction')
  const { type, data = {} } = body as { type: number; data?: Record<string, unknown> }
  const fault = type === 9 ? faultOf('modal', data) : type === 4 || type === 7 ? faultOf('message', data) : undefined
  if (fault) return invalid(fault)
  found.answer = { type, data }
  if (type === 4 || type === 5) answer(found, { ...shown(data, files), flags: Number(data.flags ?? 0) }, state)
  return { status: 204 }
}

function answer(interaction: Interaction, more: Partial<ApiMessage>, state: State): ApiMessage {
  const channel = state.world.channels.get(interaction.channel) as Channel
  const user = { ...state.world.bot, id: interaction.user }
  const message = newMessage(state, channel, {
    ...more,
    interaction_metadata: { id: interaction.id, type: 2, user, authorizing_integration_owners: {} },
  })
  interaction.original ??= message.id
  return message
}

function editAnswer(request: Request, state: State): Response {
  const found = interactionOf(state, request.params[0] ?? '')
  if ('status' in found) return found
  const [, which] = request.params
  const id = which === '@original' ? (found.original ?? found.source) : which
  const messages = state.world.channels.get(found.channel)?.messages
  return change(
    messages?.find((one) => one.id === id),
    request,
    state,
  )
}

function followUp({ params, body, files }: Request, state: State): Response {
  const found = interactionOf(state, params[0] ?? '')
  if ('status' in found) return found
  const fault = faultOf('message', body)
  if (fault) return invalid(fault)
  return { status: 200, body: messageFor(state.world, answer(found, shown(body, files), state), true) }
}
