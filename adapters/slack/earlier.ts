import { z } from 'zod'
import type { Inbound } from '../../src/ports/channel.ts'
import { placeOf } from './place.ts'
import { doneMark, liveMark } from './render/reply.ts'
import type { Site } from './site.ts'

/** What an earlier process has already shown of a reply. */
export interface Earlier {
  readonly messages: readonly string[]
  /** The reply stands there, whole: there is nothing left to say. */
  readonly whole: boolean
}

const nothing: Earlier = { messages: [], whole: false }
const thread = z.object({
  messages: z.array(
    z.looseObject({
      ts: z.string(),
      user: z.string().optional(),
      blocks: z.array(z.looseObject({ block_id: z.string().optional() })).optional(),
    }),
  ),
})

/**
 * Looks into the thread for what was posted before a crash, so that nobody is answered twice. A whole reply carries
 * the event's mark; a message of ours without any mark that is younger than the question was being streamed.
 */
export async function earlier(site: Site, event: Inbound): Promise<Earlier> {
  const place = placeOf(event.thread)
  const { thread: root, channel } = place
  if (!root) return nothing
  try {
    const oldest = String(event.at.getTime() / 1000)
    const answer = await site.api.call('conversations.replies', place, (client) =>
      client.conversations.replies({ channel, ts: root, oldest, limit: 100 }),
    )
    const found = thread.safeParse(answer).data?.messages ?? []
    const me = await site.self(place.team)
    const mine = found.filter(({ ts, user }) => user === me && Number(ts) * 1000 > event.at.getTime())
    const marks = (blocks: (typeof mine)[number]['blocks']) => (blocks ?? []).map(({ block_id: id = '' }) => id)
    const whole = mine.find(({ blocks }) => marks(blocks).includes(doneMark(event.id)))
    if (whole) return { messages: [whole.ts], whole: true }
    const begun = mine.find(
      ({ blocks }) => !marks(blocks).some((id) => id.startsWith('hone:') && id !== liveMark(event.id)),
    )
    if (!begun) return nothing
    await site.api
      .call('chat.stopStream', place, (client) => client.chat.stopStream({ channel, ts: begun.ts }))
      .catch((error: unknown) => site.log.debug('slack.stream.over', { error }))
    return { messages: [begun.ts], whole: false }
  } catch (error) {
    site.log.warn('slack.thread.unread', { event: event.id, error })
    return nothing
  }
}
