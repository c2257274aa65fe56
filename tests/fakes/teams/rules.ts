/** An activity as it came over the wire. */
export type Wire = Readonly<Record<string, unknown>> & { readonly type: string; readonly text?: string }

interface StreamInfo {
  readonly type: string
  readonly streamType?: string
  readonly streamSequence?: number
  readonly streamId?: string
}
export interface LiveStream {
  readonly id: string
  readonly startedAt: number
  sequence: number
  text: string
  lastAt: number
  state: 'open' | 'done' | 'stopped'
}
export interface Fault {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** Two minutes. */
export const longestStreamMs = 120_000

const fault = (status: number, message: string, code = status === 403 ? 'ContentStreamNotAllowed' : 'BadRequest') => ({
  status,
  code,
  message,
})

export function streamInfo(activity: Wire): StreamInfo | undefined {
  return (activity['entities'] as StreamInfo[] | undefined)?.find(({ type }) => type === 'streaminfo')
}

/** What Teams refuses about any activity, whether it streams or not. */
export function messageFault(activity: Wire): Fault | undefined {
  const { attachments, suggestedActions } = activity as { attachments?: unknown[]; suggestedActions?: unknown }
  const data = (activity['channelData'] ?? {}) as Record<string, unknown>
  if (JSON.stringify(activity).length > 100_000) return fault(413, 'Message size too large', 'MessageSizeTooBig')
  if (activity.type === 'typing') {
    if (attachments || suggestedActions) return fault(400, 'Attachments are allowed on the last message only')
    if (data['feedbackLoop']) return fault(400, 'Feedback is allowed on the last message only')
    if (entitiesOf(activity).some(({ type }) => type !== 'streaminfo')) return fault(400, 'Entities are not allowed')
    if (activity.text && !streamInfo(activity))
      return fault(400, 'Only start streaming and continue streaming types are allowed as a typing activity')
    return undefined
  }
  if (data['feedbackLoop'] && 'feedbackLoopEnabled' in data) return fault(400, 'Only one kind of feedback loop')
  if (Object.keys(data).some((key) => key.startsWith('hone'))) return fault(400, 'Unknown channel data')
  return aiFault(activity)
}

/** The rules of the AI label and its citations. */
function aiFault(activity: Wire): Fault | undefined {
  const ai = entitiesOf(activity).find(({ type }) => type === 'https://schema.org/Message')
  if (!ai) return undefined
  const citations = (ai['citation'] ?? []) as { position: number; appearance: Record<string, string> }[]
  if (ai['@type'] !== 'Message' || ai['@context'] !== 'https://schema.org') return fault(400, 'Bad AI entity')
  if (citations.length > 20) return fault(400, 'At most 20 citations')
  for (const { position, appearance } of citations) {
    const { name = '', abstract = '', url } = appearance
    if (!Number.isInteger(position) || !name || name.length > 80) return fault(400, 'Bad name of a citation')
    if (abstract.length > 160 || (url && !url.startsWith('https://'))) return fault(400, 'Bad citation')
  }
  return undefined
}

/** What Teams refuses about a new part of a stream. */
export function streamFault(info: StreamInfo, activity: Wire, stream: LiveStream | undefined, now: number) {
  const text = activity.text ?? ''
  if (!text) return fault(400, 'Start streaming activities should include text')
  if (info.streamType === 'informative' && text.length > 1000) return fault(400, 'The informative text is too long')
  if (!stream) {
    if (info.streamSequence !== 1) return fault(400, 'The first sequence number must be 1')
    return info.streamType === 'final' ? fault(400, 'There is no stream to end') : undefined
  }
  if (stream.state === 'stopped') return fault(403, 'Content stream was canceled by user.')
  if (stream.state === 'done')
    return fault(403, 'Content stream is not allowed on an already completed streamed message')
  if (now - stream.startedAt > longestStreamMs)
    return fault(403, 'Content stream finished due to exceeded streaming time.')
  if (now - stream.lastAt < 1000) return fault(429, 'API calls quota exceeded', 'TooManyRequests')
  if (info.streamType === 'informative') return sequenceFault(info, stream)
  if (!text.startsWith(stream.text))
    return fault(403, 'Request streamed content should contain the previously streamed content')
  return info.streamType === 'final' ? finalFault(info) : sequenceFault(info, stream)
}

function finalFault({ streamSequence }: StreamInfo): Fault | undefined {
  return streamSequence === undefined ? undefined : fault(400, 'The last message has no sequence number')
}

function sequenceFault({ streamSequence = 0 }: StreamInfo, { sequence }: LiveStream): Fault | undefined {
  return streamSequence === sequence + 1 ? undefined : fault(400, 'The sequence numbers must count up')
}

function entitiesOf(activity: Wire): Record<string, unknown>[] {
  return (activity['entities'] ?? []) as Record<string, unknown>[]
}
