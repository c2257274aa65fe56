import { faultOf } from './check.ts'
import { callback, editAnswer, followUp, removeAnswer } from './interactions.ts'
import {
  change,
  ephemeral,
  invalid,
  newMessage,
  type Request,
  type Response,
  refusal,
  shown,
  unknownChannel,
  unknownMessage,
} from './messages.ts'
import type { State } from './state.ts'
import { type Channel, channelPayload, guildPayload, messageFor, rightsIn } from './world.ts'

type Handler = (request: Request, state: State) => Response
export interface Route {
  readonly method: string
  readonly path: RegExp
  readonly bucket: 'sends' | 'edits' | 'others' | 'interaction'
  readonly run: Handler
}

export const routes: readonly Route[] = [
  { method: 'GET', path: /^\/gateway\/bot$/, bucket: 'others', run: gateway },
  {
    method: 'GET',
    path: /^\/users\/@me$/,
    bucket: 'others',
    run: (_, { world }) => ({ status: 200, body: world.bot }),
  },
  { method: 'GET', path: /^\/users\/@me\/guilds$/, bucket: 'others', run: guilds },
  { method: 'POST', path: /^\/users\/@me\/channels$/, bucket: 'others', run: direct },
  { method: 'GET', path: /^\/applications\/@me$/, bucket: 'others', run: application },
  { method: 'GET', path: /^\/applications\/\d+\/commands$/, bucket: 'others', run: commands },
  { method: 'PUT', path: /^\/applications\/\d+\/commands$/, bucket: 'others', run: setCommands },
  { method: 'GET', path: /^\/channels\/(\d+)$/, bucket: 'others', run: channel },
  { method: 'GET', path: /^\/guilds\/(\d+)$/, bucket: 'others', run: guild },
  { method: 'GET', path: /^\/guilds\/(\d+)\/members\/(\d+)$/, bucket: 'others', run: member },
  { method: 'POST', path: /^\/channels\/(\d+)\/messages$/, bucket: 'sends', run: send },
  { method: 'GET', path: /^\/channels\/(\d+)\/messages$/, bucket: 'others', run: list },
  { method: 'PATCH', path: /^\/channels\/(\d+)\/messages\/(\d+)$/, bucket: 'edits', run: edit },
  { method: 'DELETE', path: /^\/channels\/(\d+)\/messages\/(\d+)$/, bucket: 'others', run: remove },
  { method: 'POST', path: /^\/channels\/(\d+)\/typing$/, bucket: 'others', run: typing },
  { method: 'POST', path: /^\/channels\/(\d+)\/messages\/(\d+)\/threads$/, bucket: 'others', run: thread },
  { method: 'POST', path: /^\/interactions\/(\d+)\/([^/]+)\/callback$/, bucket: 'interaction', run: callback },
  { method: 'PATCH', path: /^\/webhooks\/\d+\/([^/]+)\/messages\/(@original|\d+)$/, bucket: 'edits', run: editAnswer },
  { method: 'DELETE', path: /^\/webhooks\/\d+\/([^/]+)\/messages\/@original$/, bucket: 'edits', run: removeAnswer },
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

function guild({ params: [id] }: Request, { world }: State): Response {
  const found = world.guilds.find((one) => one.id === id)
  return found ? { status: 200, body: guildPayload(world, found) } : refusal(404, 10004, 'Unknown Guild')
}

function guilds(_: Request, { world }: State): Response {
  const body = world.guilds.map((one) => ({ id: one.id, name: one.name, permissions: String(rightsIn(one)) }))
  return { status: 200, body }
}

function direct({ body }: Request, { world, shy }: State): Response {
  const user = world.users.get(String(body.recipient_id))
  if (!user || shy.has(user.id)) return refusal(403, 50007, 'Cannot send messages to this user')
  return { status: 200, body: channelPayload(world.direct(user)) }
}

function member({ params: [, user] }: Request, { world }: State): Response {
  return user === world.bot.id
    ? { status: 200, body: { user: world.bot, roles: [] } }
    : refusal(404, 10007, 'Unknown Member')
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

function list(request: Request, state: State): Response {
  const found = seen(request, state)
  if ('status' in found) return found
  if (found.denied.has('history')) return { status: 200, body: [] }
  const after = BigInt(request.query.get('after') ?? 0)
  const limit = Number(request.query.get('limit') ?? 50)
  const visible = found.messages.filter(({ id, flags }) => BigInt(id) > after && !(flags & ephemeral)).slice(0, limit)
  return { status: 200, body: visible.toReversed().map((one) => messageFor(state.world, one, state.contentIntent)) }
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
