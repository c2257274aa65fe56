import { faultOf } from './check.ts'
import { change, invalid, newMessage, type Request, type Response, refusal, shown, unknownMessage } from './messages.ts'
import type { Interaction, State } from './state.ts'
import { type ApiMessage, type Channel, messageFor } from './world.ts'

function interactionOf(state: State, token: string): Interaction | Response {
  const found = state.interactions.get(token)
  if (!found) return refusal(404, 10015, 'Unknown Webhook')
  const old = state.now() - found.madeAt > state.interaction.tokenMs
  return old ? refusal(401, 50027, 'Invalid Webhook Token') : found
}

/** The first answer to an interaction: 4 a message, 5 later, 6 nothing, 7 a change, 8 choices, 9 a form. */
export function callback({ params, body, files }: Request, state: State): Response {
  const found = interactionOf(state, params[1] ?? '')
  if ('status' in found) return found
  if (found.answer) return refusal(400, 40060, 'Interaction has already been acknowledged.')
  if (state.now() - found.madeAt > state.interaction.answerMs) return refusal(404, 10062, 'Unknown interaction')
  const { type, data = {} } = body as { type: number; data?: Record<string, unknown> }
  const fault = type === 9 ? faultOf('modal', data) : type === 4 || type === 7 ? faultOf('message', data) : undefined
  if (fault) return invalid(fault)
  found.answer = { type, data }
  found.answeredAt = state.now()
  if (type === 4 || type === 5) answer(found, { ...shown(data, files), flags: Number(data.flags ?? 0) }, state)
  return { status: 204 }
}

function answer(interaction: Interaction, more: Partial<ApiMessage>, state: State): ApiMessage {
  const channel = state.world.channels.get(interaction.channel) as Channel
  const message = newMessage(state, channel, {
    ...more,
    interaction_metadata: { id: interaction.id, type: 2, user: interaction.user, authorizing_integration_owners: {} },
  })
  interaction.original ??= message.id
  return message
}

export function editAnswer(request: Request, state: State): Response {
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

export function removeAnswer({ params }: Request, state: State): Response {
  const found = interactionOf(state, params[0] ?? '')
  if ('status' in found) return found
  const messages = state.world.channels.get(found.channel)?.messages ?? []
  const at = messages.findIndex(({ id }) => id === found.original)
  if (at < 0) return unknownMessage
  messages.splice(at, 1)
  return { status: 204 }
}

export function followUp({ params, body, files }: Request, state: State): Response {
  const found = interactionOf(state, params[0] ?? '')
  if ('status' in found) return found
  const fault = faultOf('message', body)
  if (fault) return invalid(fault)
  return { status: 200, body: messageFor(state.world, answer(found, shown(body, files), state), true) }
}
