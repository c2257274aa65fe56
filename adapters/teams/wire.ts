import type { Outgoing, TurnContext } from './sdk.ts'

interface Request {
  body?: unknown
}
interface Pipeline {
  addPolicy(policy: { name: string; sendRequest(request: Request, next: (request: Request) => unknown): unknown }): void
}

const carrier = 'honeEntities'
const prepared = new WeakSet<object>()

/**
 * botbuilder serialises three fields of an entity and drops the rest in silence: the AI label, citations and the stream
 * information among them. So on botbuilder they travel in the channel data, and a policy of the turn's own HTTP client
 * puts them in their place just before they are sent. Other clients send entities as they are and are left alone.
 *
 * @example await context.sendActivity(carried(context, activity))
 */
export function carried(context: TurnContext, activity: Outgoing): Outgoing {
  const { entities, channelData } = activity
  if (!Array.isArray(entities) || !prepare(context)) return activity
  return { ...activity, channelData: { ...(channelData as object | undefined), [carrier]: entities } }
}

/** True when the turn's client puts entities back. */
function prepare({ adapter, turnState }: TurnContext): boolean {
  const key = (adapter as { ConnectorClientKey?: unknown }).ConnectorClientKey
  const client = turnState.get(key as never) as { client?: { pipeline?: Pipeline } } | undefined
  const pipeline = client?.client?.pipeline
  if (typeof pipeline?.addPolicy !== 'function') return false
  if (!prepared.has(pipeline)) {
    prepared.add(pipeline)
    pipeline.addPolicy({
      name: 'hone.entities',
      sendRequest(request, next) {
        request.body = restored(request.body)
        return next(request)
      },
    })
  }
  return true
}

/** The body with its entities whole again. */
export function restored(body: unknown): unknown {
  if (typeof body !== 'string' || !body.includes(carrier)) return body
  const activity = JSON.parse(body) as { channelData?: Record<string, unknown> }
  const { [carrier]: entities, ...channelData } = activity.channelData ?? {}
  if (!Array.isArray(entities)) return body
  return JSON.stringify({ ...activity, entities, channelData })
}
